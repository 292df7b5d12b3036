package tokencache

import (
	"bytes"
	"fmt"
	"testing"
)

// issue writes what MSAL Go writes for a person, always newer than before.
func (w *world) issue(data []byte, home, client string) []byte {
	text := parseText(data)
	w.serial++
	s := fmt.Sprint(1000 + w.serial)
	for _, p := range []part{
		at(home, client, w.pick("a", "b", "a b"), "at-"+s, 5000+w.serial).with("cached_at", s),
		rt(home, client, "rt-"+s), idt(home, client, w.serial), account(home), app(client),
	} {
		p.into(text)
	}
	return formatText(text)
}

// change is a refresh or a sign-in by MSAL Go that starts from what is stored.
func (w *world) change(t *testing.T, stored []byte, home string, op Op) Change {
	t.Helper()
	base, err := Readable(stored)
	if err != nil {
		t.Fatal(err)
	}
	return Change{base, w.issue(rewrite(base), home, w.pick("c", "d")), op}
}

func (ch Change) onto(t *testing.T, theirs []byte) []byte {
	t.Helper()
	out, _, err := Merge(ch.Base, ch.Ours, theirs, ch.Op)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestNarrowDoesTheSame(t *testing.T) {
	narrowed := 0
	t.Run("worlds", func(t *testing.T) {
		eachWorld(t, func(t *testing.T, w *world) {
			stored := w.stir(w.stir(nil, "a", "b"), "a", "b", "c")
			ch := Change{stored, w.stir(rewrite(stored), "a"), Op(w.IntN(3))}
			narrow, person, ok := ch.Narrow()
			if ok {
				narrowed++
			}
			if ok != (person == "a") {
				t.Errorf("%q, %v", person, ok)
			}
			theirs := w.stir(stored, "a", "b", "c")
			if want, got := ch.onto(t, theirs), narrow.onto(t, theirs); !bytes.Equal(want, got) {
				t.Errorf("got %s\nwant %s", got, want)
			}
		})
	})
	t.Cleanup(func() {
		if narrowed < 100 {
			t.Errorf("only %d of all were narrowed", narrowed)
		}
	})
}

// TestCollapsedDoesTheSame applies changes one after the other, and collapsed,
// to what others made of the store meanwhile.
func TestCollapsedDoesTheSame(t *testing.T) {
	collapsed := map[string]int{}
	t.Run("worlds", func(t *testing.T) {
		eachWorld(t, func(t *testing.T, w *world) {
			before := w.stir(w.stir(nil, "a", "b"), "a", "b")
			ops := Op(w.IntN(2))
			view := before
			theirs := w.stir(before, "a", "b", "c")
			want := theirs
			var all *Change
			for range 2 + w.IntN(4) {
				op := ops
				if w.IntN(4) == 0 {
					op = OpSilent
				}
				ch := w.change(t, view, "a", op)
				view, want = ch.onto(t, view), ch.onto(t, want)
				narrow, _, ok := ch.Narrow()
				if !ok {
					t.Fatal("not narrowed")
				}
				if all == nil {
					all = &narrow
					continue
				}
				one, ok := Collapse(*all, narrow)
				collapsed[fmt.Sprint(all.Op, narrow.Op, ok)]++
				if !ok {
					return
				}
				all = &one
			}
			if diff := diffMeaning(t, undated(want), undated(all.onto(t, theirs))); diff != "" {
				t.Error(diff)
			}
		})
	})
	t.Cleanup(func() { t.Log(collapsed) })
}

// undated leaves out when refresh tokens were stored. Only the order of dates
// counts; those of tokens that were never stored make no difference.
func undated(data []byte) []byte {
	text := parseText(data)
	for key, raw := range text["RefreshToken"] {
		if len(raw) > 0 && raw[0] == '{' {
			text["RefreshToken"][key] = withField(raw, lastModified, `""`)
		}
	}
	return formatText(text)
}
