package tokencache

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// step is one write of ours, or of somebody else who keeps no history.
type step struct {
	who           string // "" keeps no history
	before, after []byte
}

// then returns what is stored after everybody put back what the last of the
// writes took away, which is repeated until nobody finds anything. It fails
// where that has no end.
func then(t *testing.T, steps []step, now []byte) []byte {
	t.Helper()
	start := time.Unix(1000, 0)
	history := History{}
	of := map[string]*Written{}
	var names []string
	note := func(s step) {
		w, err := WrittenBy(s.before, s.after, start)
		if err != nil {
			t.Fatal(err)
		}
		if s.who == "" {
			return
		}
		if of[s.who] == nil {
			of[s.who] = &Written{}
			names = append(names, s.who)
		}
		history.Note(w)
		of[s.who].Add(w)
	}
	for _, s := range steps {
		note(s)
	}
	for round, quiet := 0, false; !quiet; round++ {
		if round > 10 {
			t.Fatal("they put back what each other put back")
		}
		quiet = true
		for _, who := range names {
			out, since, err := of[who].Restore(now, history)
			changed := !since.IsZero()
			if err != nil {
				t.Fatal(err)
			}
			if changed {
				quiet = false
				note(step{who, now, out})
				now = out
			}
		}
	}
	return now
}

func TestRestore(t *testing.T) {
	t.Parallel()
	all := func(sets ...[]part) []byte { return doc(slices.Concat(sets...)...) }
	ann, bob, carl := signIn("ann", "c", "1"), signIn("bob", "c", "1"), signIn("carl", "c", "1")
	anew, later := signIn("ann", "c", "2"), signIn("ann", "c", "3")
	more := []part{at("ann", "c", "more", "x", 9000)}
	foreign := []part{rt("ann", "d", "of another application")}
	renewed := []part{rt("ann", "d", "of another application, renewed")}
	onlyApp := []part{app("c")}
	for _, c := range []struct {
		name      string
		steps     []step
		now, want []byte
	}{
		{"a sign-in", []step{{"p", all(bob), all(bob, ann)}}, all(bob, carl), all(bob, carl, ann)},
		{"the first sign-in", []step{{"p", nil, all(ann)}}, all(carl), all(carl, ann)},
		{"a refresh", []step{{"p", all(ann), all(anew)}}, all(ann, carl), all(anew, carl)},
		{"a refresh, to what was before the one before", []step{{"p", all(ann), all(anew)}, {"p", all(anew), all(later)}}, all(ann), all(later)},
		{"a refresh, to what another of ours replaced", []step{{"p", all(ann), all(anew)}, {"q", all(anew), all(later)}}, all(ann), all(later)},
		{"a sign-out", []step{{"p", all(ann, bob), all(onlyApp, bob)}}, all(ann, bob, carl), all(onlyApp, bob, carl)},
		{
			"a sign-out that left another application's token", []step{{"p", all(ann, foreign), all(onlyApp, foreign)}},
			all(ann, foreign), all(onlyApp, foreign),
		},
		{
			"a sign-out that left a token which others had renewed",
			[]step{{"q", all(ann), all(ann, foreign)}, {"p", all(ann, renewed), all(onlyApp, renewed)}},
			all(ann, renewed), all(onlyApp, renewed),
		},
		{
			"a token that was back at what it was when another of ours signed out",
			[]step{{"q", all(ann, foreign), all(ann, renewed)}, {"p", all(ann, foreign), all(onlyApp, foreign)}},
			all(onlyApp, foreign), all(onlyApp, renewed),
		},
		{"what is as it was left", []step{{"p", all(bob), all(bob, ann)}}, all(bob, ann, carl), all(bob, ann, carl)},
		{"somebody else's refresh", []step{{"p", all(ann), all(anew)}}, all(later), all(later)},
		{"somebody else's sign-out after a refresh", []step{{"p", all(ann), all(anew)}}, all(onlyApp), all(onlyApp)},
		{"somebody else's sign-out after a token for more", []step{{"p", all(ann), all(ann, more)}}, all(onlyApp), all(onlyApp)},
		{"a sign-in, and then a token for more", []step{{"p", all(onlyApp), all(ann)}, {"p", all(ann), all(ann, more)}}, all(onlyApp), all(ann, more)},
		{
			"a new sign-in after our sign-out", []step{{"p", all(ann), all(onlyApp)}},
			all(anew), all(anew),
		},
		{
			"the sign-out of another of ours", []step{{"p", all(bob), all(bob, ann)}, {"q", all(bob, ann), all(bob, onlyApp)}},
			all(bob), all(bob, onlyApp),
		},
		{
			"the sign-out of another of ours, undone", []step{{"p", all(bob), all(bob, ann)}, {"q", all(bob, ann), all(bob, onlyApp)}},
			all(bob, ann), all(bob, onlyApp),
		},
		{
			"a sign-in after a sign-out by another of ours", []step{{"p", all(ann), all(onlyApp)}, {"q", all(onlyApp), all(anew)}},
			all(ann), all(anew),
		},
		{
			"there and back", []step{{"p", all(bob), all(bob, ann)}, {"p", all(bob, ann), all(bob, onlyApp)}, {"p", all(bob, onlyApp), all(bob, ann)}},
			all(bob), all(bob, ann),
		},
		{
			"a key that is taken meanwhile", []step{{"p", nil, doc(account("ann").at("k"))}},
			doc(account("bob").at("k")), doc(account("bob").at("k"), account("ann").at("k-")),
		},
		{
			"two entries for one token", []step{{"p", doc(account("ann"), rt("ann", "c", "1"), rt("ann", "c", "0").at("old")), doc(account("ann"), rt("ann", "c", "2"))}},
			doc(account("ann"), rt("ann", "c", "1"), rt("ann", "c", "0").at("old")), doc(account("ann"), rt("ann", "c", "2")),
		},
		{"what no library can read", []step{{"p", nil, doc(account("x").written("null"))}}, all(bob), all(bob)},
		{
			"written anew by a library that drops what it doesn't know", []step{{"p", all(ann), all(anew)}},
			doc(slices.Concat(ann[1:], []part{ann[0].with("token_type", nil).with("ext_expires_on", "7")})...), all(anew),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := then(t, c.steps, c.now)
			if diff := diffMeaning(t, c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// A history goes from process to process as JSON, and has nothing in it that
// anybody could use.
func TestHistoryIsShared(t *testing.T) {
	t.Parallel()
	at := time.Unix(1000, 0)
	w, err := WrittenBy(nil, doc(signIn("ann", "client", "secret-1")...), at)
	if err != nil || w.Empty() || !w.Last().Equal(at) {
		t.Fatal(err, w.Empty(), w.Last())
	}
	written := History{}
	written.Note(w)
	data, err := json.Marshal(written)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"ann", "client", "secret", "microsoft"} {
		if strings.Contains(strings.ToLower(string(data)), secret) {
			t.Errorf("%q is in %s", secret, data)
		}
	}
	read := History{}
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	if _, since, err := w.Restore(doc(app("client")), read); err != nil || since.IsZero() {
		t.Error(since, err)
	}
	read.Forget(at.Add(1))
	if _, since, err := w.Restore(doc(app("client")), read); err != nil || !since.IsZero() || len(read) > 0 {
		t.Error(since, err, read)
	}
	w.Forget(at.Add(1))
	if !w.Empty() || !w.Last().IsZero() {
		t.Error("it isn't forgotten")
	}
}

func TestHistoryStaysSmall(t *testing.T) {
	t.Parallel()
	h := History{}
	before := doc(account("a"))
	for i := range 100 {
		after := doc(account("a"), rt("a", "c", string(rune('0'+i))))
		w, err := WrittenBy(before, after, time.Unix(int64(i), 0))
		if err != nil {
			t.Fatal(err)
		}
		h.Note(w)
		before = after
	}
	for _, past := range h {
		if len(past.Was) != pastLimit {
			t.Errorf("%d states are kept", len(past.Was))
		}
	}
}

func TestRestoreRefusesMalformedInput(t *testing.T) {
	t.Parallel()
	bad := []byte(`{"Account":[]}`)
	_, err1 := WrittenBy(bad, nil, time.Time{})
	_, err2 := WrittenBy(nil, bad, time.Time{})
	out, _, err3 := Written{}.Restore(bad, nil)
	for _, err := range []error{err1, err2, err3} {
		if !errors.Is(err, ErrMalformed) || out != nil {
			t.Error(err)
		}
	}
}
