package tokencache

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// world makes random caches and random things that libraries do to them.
type world struct {
	*rand.Rand

	serial int
}

type cacheText = map[string]map[string]json.RawMessage

func (w *world) pick(from ...string) string { return from[w.IntN(len(from))] }

// parse and format go through encoding/json, not through the code under test.
func parseText(data []byte) cacheText {
	c := cacheText{}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &c); err != nil {
			panic(err)
		}
	}
	return c
}

func formatText(c cacheText) []byte {
	out, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return out
}

func (c part) into(text cacheText) {
	if text[c.section] == nil {
		text[c.section] = map[string]json.RawMessage{}
	}
	raw, err := json.Marshal(c.fields)
	if err != nil {
		panic(err)
	}
	text[c.section][c.key] = raw
}

// signIn writes what a library writes for a person; style is whose keys.
func (w *world) signIn(data []byte, home, client, style string) []byte {
	text := parseText(data)
	w.serial++
	s := fmt.Sprint(w.serial)
	token := at(home, client, w.pick("a", "b", "a b"), "at-"+s, w.IntN(1000)).with("cached_at", s)
	refresh, id := rt(home, client, "rt-"+s), idt(home, client, w.serial)
	if style == "python" {
		refresh = refresh.at(refresh.key+"--"+w.pick("a", "b")).with("last_modification_time", s).with("target", "a")
		id = id.at(id.key + "-")
	}
	for _, p := range []part{token, refresh, id, account(home), app(client)} {
		p.into(text)
	}
	return formatText(text)
}

// signOut does what MSAL Go's RemoveAccount does.
func signOut(data []byte, home, client string) []byte {
	text := parseText(data)
	for name, section := range text {
		maps.DeleteFunc(section, func(_ string, raw json.RawMessage) bool {
			f := factsOf(raw)
			return name != "AppMetadata" && f.home == home && f.env == public &&
				(name != "RefreshToken" || f.client == client || f.family != "")
		})
	}
	return formatText(text)
}

// rewrite is a load and a save by MSAL Go: nulls and empty fields are dropped.
func rewrite(data []byte) []byte {
	text := parseText(data)
	for _, section := range text {
		for key, raw := range section {
			var fields map[string]any
			if json.Unmarshal(raw, &fields) == nil && fields != nil {
				maps.DeleteFunc(fields, func(_ string, v any) bool { return v == nil || v == "" })
				section[key], _ = json.Marshal(fields)
			}
		}
	}
	return formatText(text)
}

// stir does a few random things, for some homes only.
func (w *world) stir(data []byte, homes ...string) []byte {
	for range w.IntN(4) {
		home, client := w.pick(homes...), w.pick("c", "d")
		switch w.IntN(5) {
		case 0:
			data = signOut(data, home, client)
		case 1:
			data = w.strange(data, home)
		default:
			data = w.signIn(data, home, client, w.pick("go", "python"))
		}
	}
	return data
}

// strange adds entries that other libraries, or nobody, would write.
func (w *world) strange(data []byte, home string) []byte {
	text := parseText(data)
	w.serial++
	s := fmt.Sprint(w.serial)
	for _, p := range []part{
		at(home, "c", "b a", s, 5).at("x"+s).with("environment", "login.windows.net").with("expires_on", 7).with("realm", nil),
		account(home).at("y"+s).with("realm", w.pick("r", "s")).with("unknown", map[string]any{"x": nil, "a": s}),
		rt(home, "f", "rt-"+s).at("z"+s).with("family_id", "1").with("client_info", nil),
	} {
		p.into(text)
	}
	text["AccessToken"]["null"+home] = json.RawMessage("null")
	text["Account"]["empty"+home] = json.RawMessage("{}")
	return formatText(text)
}

func eachWorld(t *testing.T, check func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	for seed := range uint64(400) {
		check(t, &world{Rand: rand.New(rand.NewPCG(seed, 7)), serial: 100})
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}

func mustMerge(t *testing.T, base, ours, theirs []byte, op Op) []byte {
	t.Helper()
	out, changed, err := Merge(base, ours, theirs, op)
	if err != nil {
		t.Fatal(err)
	}
	checkMerged(t, base, ours, theirs, out, changed, op)
	return out
}

func TestMergeLeavesOthersBytesAlone(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		base := w.stir(nil, "a", "b", "c")
		ours := w.stir(rewrite(base), "a")
		theirs := w.stir(base, "a", "b", "c")
		out := parseText(mustMerge(t, base, ours, theirs, Op(w.IntN(3))))
		for name, section := range parseText(theirs) {
			for key, raw := range section {
				f := factsOf(raw)
				if (f.home == "b" || f.home == "c" || string(raw) == "null") && !bytes.Equal(raw, out[name][key]) {
					t.Errorf("%s %s: was %s, is %s", name, key, raw, out[name][key])
				}
			}
		}
	})
}

func TestMergeCommutesOnDisjointChanges(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		base := w.stir(nil, "a", "b", "c")
		a, b := w.stir(rewrite(base), "a"), w.stir(base, "b")
		theirs := w.stir(base, "c")
		op := Op(w.IntN(3))
		ab := mustMerge(t, base, b, mustMerge(t, base, a, theirs, op), op)
		ba := mustMerge(t, base, a, mustMerge(t, base, b, theirs, op), op)
		if diff := diffMeaning(t, ab, ba); diff != "" {
			t.Error(diff)
		}
	})
}

func TestMergeIgnoresOrderOfEntries(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		base := w.stir(nil, "a", "b")
		ours, theirs := w.stir(base, "a", "b"), w.stir(base, "a", "b")
		op := Op(w.IntN(3))
		one := mustMerge(t, base, ours, theirs, op)
		two := mustMerge(t, w.shuffled(base), w.shuffled(ours), theirs, op)
		if diff := diffMeaning(t, one, two); diff != "" {
			t.Error(diff)
		}
	})
}

// shuffled writes the members of the top level and of sections in another
// order.
func (w *world) shuffled(data []byte) []byte {
	text := parseText(data)
	var sections []string
	for _, name := range slices.Sorted(maps.Keys(text)) {
		var entries []string
		for _, key := range slices.Sorted(maps.Keys(text[name])) {
			entries = append(entries, fmt.Sprintf("%q: %s", key, text[name][key]))
		}
		w.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		sections = append(sections, fmt.Sprintf("%q: {%s}", name, strings.Join(entries, " ,\n")))
	}
	w.Shuffle(len(sections), func(i, j int) { sections[i], sections[j] = sections[j], sections[i] })
	return []byte("{" + strings.Join(sections, ", ") + "}")
}

func TestSignedOutAccountLeavesNothing(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		base := w.signIn(w.stir(nil, "a", "b"), "a", "c", "go")
		ours := signOut(rewrite(base), "a", "c")
		theirs := w.stir(base, "a", "b")
		for name, section := range parseText(mustMerge(t, base, ours, theirs, OpAcquire)) {
			for key, raw := range section {
				f := factsOf(raw)
				if f.home == "a" && (name != "RefreshToken" || f.client == "c" || f.family != "") {
					t.Errorf("left: %s %s", name, key)
				}
			}
		}
	})
}

func TestRotatedRefreshTokenHasOneSurvivor(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		base := w.signIn(w.stir(nil, "a", "b"), "a", "c", w.pick("go", "python"))
		ours := w.signIn(rewrite(base), "a", "c", "go")
		issued := fmt.Sprint("rt-", w.serial)
		theirs := w.stir(base, "b")
		if w.IntN(2) == 0 { // MSAL Go, in another process, was given one token and rotated it too
			text := parseText(theirs)
			maps.DeleteFunc(text["RefreshToken"], func(_ string, raw json.RawMessage) bool { return factsOf(raw).home == "a" })
			rt("a", "c", "rival").at("rival").into(text)
			theirs = formatText(text)
		}
		var left []string
		for _, raw := range parseText(mustMerge(t, base, ours, theirs, OpSilent))["RefreshToken"] {
			if f := factsOf(raw); f.home == "a" && f.client == "c" && f.family == "" {
				left = append(left, secretOf(raw))
			}
		}
		if !slices.Equal(left, []string{issued}) {
			t.Errorf("left %q, issued %q", left, issued)
		}
	})
}

func TestIssuedTokensAreNeverLost(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		base := w.stir(nil, "a", "b")
		ours := w.signIn(rewrite(base), "a", "c", w.pick("go", "python"))
		issued := fmt.Sprintf(`"rt-%d"`, w.serial)
		out := mustMerge(t, base, ours, w.stir(base, "a", "b"), OpAcquire)
		if !bytes.Contains(out, []byte(issued)) {
			t.Errorf("%s is lost: %s", issued, out)
		}
		var c TokenCache
		if err := c.Deserialize(out); err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(c.Accounts(), func(a Account) bool { return a.HomeAccountID == "a" }) {
			t.Error("no account of the token")
		}
	})
}
