package extensions

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/msalext/msalext/extensions/backend"
)

// preset is how a family of applications keeps its caches, by the backends'
// names.
type preset map[string]sharing

// sharing is how a family keeps a cache in one backend.
type sharing struct {
	settings backend.Settings
	javaLock bool // persist.Options.JavaLock
	// needs are settings that each application of the family chooses for
	// itself. "*" at the end stands for any name; as often as it is listed, as
	// many are needed.
	needs []string
}

// Presets lists the names that Options.Preset takes, sorted.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// checkPreset refuses a name that isn't known, before anything is opened.
func (o *Options) checkPreset() error {
	if _, ok := presets[o.Preset]; ok || o.Preset == "" {
		return nil
	}
	return invalid("open", fmt.Sprintf("there is no preset %q", o.Preset), "use one of "+names(presets)+", or none")
}

// settings are what a backend is opened with: the preset's, and over them the
// application's own.
//
// With settings of its own alone, a backend that the preset doesn't know would
// open a cache that nobody shares, and the application would take it for an
// empty one. So that has to be asked for.
func (o *Options) settings(name string) (backend.Settings, error) {
	own, given := o.Settings[name]
	shared, known := presets[o.Preset][name]
	if o.Preset != "" && !known && !given {
		return nil, o.unshared(name, "doesn't say how to share a cache through this backend",
			fmt.Sprintf("use one that it knows (%s), or give Options.Settings[%q], which may be empty", names(presets[o.Preset]), name))
	}
	if missing := shared.missing(own); len(missing) > 0 {
		return nil, o.unshared(name, "needs the names that the other application chose: "+strings.Join(missing, ", "),
			fmt.Sprintf("give them in Options.Settings[%q]", name))
	}
	all := backend.Settings{}
	maps.Copy(all, shared.settings)
	maps.Copy(all, own)
	return all, nil
}

func (o *Options) unshared(name, what, hint string) error {
	return &backend.Error{
		Op: "open", Backend: name, Kind: backend.ErrInvalid,
		Err: fmt.Errorf("the preset %q %s", o.Preset, what), Hint: hint,
	}
}

// missing are the needs that settings leave open. With a store's own default in
// their place, the cache would be one that nobody shares, or, where nothing
// but a schema for all is left to search by, somebody else's.
func (s sharing) missing(own backend.Settings) []string {
	left := maps.Clone(own)
	var missing []string
	for _, need := range s.needs {
		given := slices.Sorted(maps.Keys(left))
		i := slices.IndexFunc(given, func(name string) bool { return meets(need, name) && left[name] != "" })
		if i < 0 {
			missing = append(missing, need)
			continue
		}
		delete(left, given[i]) // it meets one need only
	}
	return missing
}

func meets(need, name string) bool {
	prefix, open := strings.CutSuffix(need, "*")
	return name == need || open && strings.HasPrefix(name, prefix) && name != prefix
}

func names[V any](m map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}
