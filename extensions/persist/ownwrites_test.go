package persist

import (
	"testing"

	"github.com/msalext/msalext/extensions/backend"
)

func TestOwnWritesAreToldFromOthers(t *testing.T) {
	t.Parallel()
	type w = ownWrite
	for _, c := range []struct {
		name    string
		own     []ownWrite
		found   backend.Version
		changed bool
	}{
		{"nothing happened", nil, "a", false},
		{"they wrote", nil, "b", true},
		{"we wrote", []w{{"a", "b"}}, "b", false},
		{"we wrote twice", []w{{"a", "b"}, {"b", "c"}}, "c", false},
		{"we wrote and answers overtook each other", []w{{"c", "d"}, {"b", "c"}, {"a", "b"}}, "d", false},
		{"we wrote and wrote the old again", []w{{"a", "b"}, {"b", "a"}, {"a", "b"}}, "b", false},
		{"we deleted", []w{{"a", ""}}, "", false},
		{"they wrote, then we", []w{{"b", "c"}}, "c", true},
		{"we wrote, then they", []w{{"a", "b"}}, "c", true},
		{"we wrote, then they undid it", []w{{"a", "b"}}, "a", true},
		{"we wrote, they between, we again", []w{{"a", "b"}, {"c", "d"}}, "d", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var o ownWrites
			told := 0
			tally := &tally{known: "a", notify: func() { told++ }}
			leave := o.watch("k", tally)
			for _, own := range c.own {
				o.begin("k")(own.base, own.version, nil)
			}
			since, quiet := o.before("k", tally)
			if changed, sure := o.found("k", tally, since, c.found); changed != c.changed || !sure || !quiet {
				t.Errorf("changed %t, sure %t, quiet %t", changed, sure, quiet)
			}
			if tally.known != c.found || told != len(c.own) {
				t.Errorf("knows %q, told %d times", tally.known, told)
			}
			leave()
			if len(o.items) != 0 {
				t.Error("something is left")
			}
		})
	}
}

func TestLoadsBesideOwnWritesProveNothing(t *testing.T) {
	t.Parallel()
	var o ownWrites
	tally := &tally{notify: func() {}}
	defer o.watch("k", tally)()
	since, _ := o.before("k", tally)
	end := o.begin("k")
	if _, quiet := o.before("k", tally); quiet {
		t.Error("a write is under way")
	}
	end("", "a", nil)
	if _, sure := o.found("k", tally, since, "a"); sure || tally.known != "a" {
		t.Error("the load may have come before the write or after")
	}
	since, _ = o.before("k", tally)
	o.begin("else")("", "x", nil)
	o.begin("k")("a", "b", backend.ErrConflict) // it didn't happen
	since2, quiet := o.before("k", tally)
	if _, sure := o.found("k", tally, since, "a"); sure || !quiet {
		t.Error("it began after the load")
	}
	if changed, sure := o.found("k", tally, since2, "a"); changed || !sure {
		t.Errorf("changed %t, sure %t", changed, sure)
	}
}
