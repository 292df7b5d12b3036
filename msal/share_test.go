package msal

import (
	"fmt"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	"github.com/msalext/msalext/extensions/persist"
)

// reader is MSAL's memory, as the accessor sees it.
type reader struct {
	times int
	data  []byte
}

func (r *reader) Unmarshal(data []byte) error { r.times++; r.data = data; return nil }
func (r *reader) Marshal() ([]byte, error)    { return r.data, nil }

// whose lists the people whose tokens it has, of those in stocked.
func (r *reader) whose() string {
	var found []string
	for _, who := range []string{"a", "b", "c", "d", "e", "f", "app"} {
		if strings.Contains(string(r.data), `"rt-`+who+`"`) {
			found = append(found, who)
		}
	}
	return strings.Join(found, " ")
}

func (r *reader) accounts() int { return strings.Count(string(r.data), `"username"`) }

// stocked is a cache with the tokens of six people and of the application.
func stocked(note string) []byte {
	var accounts, tokens []string
	for _, who := range []string{"a", "b", "c", "d", "e", "f"} {
		accounts = append(accounts, fmt.Sprintf(`"%[1]s.t-env-t":{"home_account_id":"%[1]s.t","environment":"env","realm":"t","username":"%[1]s"}`, who))
		tokens = append(tokens, fmt.Sprintf(`"%[1]s.t-env-refreshtoken-c":{"home_account_id":"%[1]s.T","environment":"env","client_id":"c","secret":"rt-%[1]s"}`, who))
	}
	return []byte(`{"Account":{` + strings.Join(accounts, ",") + `},"RefreshToken":{` + strings.Join(tokens, ",") +
		`},"AccessToken":{"-env-accesstoken-c-t-s":{"home_account_id":null,"environment":"env","client_id":"c","secret":"rt-app"}},"Note":"` + note + `"}`)
}

// shelved is an accessor of a stocked cache, and a way for others to write it.
func shelved(t *testing.T) (*accessor, func(note string)) {
	t.Helper()
	a, save := emptyShelf(t)
	save("")
	return a, save
}

func emptyShelf(t *testing.T) (*accessor, func(note string)) {
	t.Helper()
	store, err := (&memory.Backend{}).Open(t.Context(), backend.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := persist.New("memory", store, backend.Config{}, nil)
	save := func(note string) {
		if err := p.Save(t.Context(), stocked(note)); err != nil {
			t.Fatal(err)
		}
	}
	return &accessor{cache: persist.NewPersistedTokenCache(p, nil)}, save
}

func TestMSALIsGivenWhatItLooksFor(t *testing.T) {
	t.Parallel()
	a, save := shelved(t)
	r := &reader{}
	all := "a b c d e f app"
	for _, step := range []struct {
		name  string
		first func()
		need  need
		times int
		whose string
	}{
		{"list accounts", nil, need{}, 1, "app"},
		{"list them again", nil, need{}, 1, "app"},
		{"one person", nil, need{person: "a.t"}, 2, "a app"},
		{"the same", nil, need{person: "a.t"}, 2, "a app"},
		{"list accounts again", nil, need{}, 2, "a app"},
		{"another", nil, need{person: "b.t"}, 3, "a b app"},
		{"the first once more", nil, need{person: "a.t"}, 3, "a b app"},
		{"a sign-in", nil, need{everybody: true}, 4, all},
		{"a third, who is there", nil, need{person: "c.t"}, 4, all},
		{"others wrote", func() { save("1") }, need{person: "a.t"}, 5, "a b c app"},
		{"a fourth", nil, need{person: "d.t"}, 6, "a b c d app"},
		{"a fifth: many", nil, need{person: "e.t"}, 7, all},
		{"a sixth", nil, need{person: "f.t"}, 7, all},
		{"others wrote again", func() { save("2") }, need{person: "a.t"}, 8, all},
	} {
		if step.first != nil {
			step.first()
		}
		err := a.replace(t.Context(), a.clients.of(r), r, step.need)
		if err != nil || r.times != step.times || r.whose() != step.whose || r.accounts() != 6 {
			t.Errorf("%s: %d times, tokens of %q, %d accounts, %v", step.name, r.times, r.whose(), r.accounts(), err)
		}
	}
}

// A program that begins without anybody signed in is given no more later on.
func TestBeginningWithNothing(t *testing.T) {
	t.Parallel()
	a, save := emptyShelf(t)
	r := &reader{}
	if err := a.replace(t.Context(), a.clients.of(r), r, need{}); err != nil {
		t.Fatal(err)
	}
	save("")
	if err := a.replace(t.Context(), a.clients.of(r), r, need{person: "a.t"}); err != nil || r.whose() != "a app" {
		t.Errorf("tokens of %q, %v", r.whose(), err)
	}
}

// TestKeyThatIsNoPerson: MSAL names the application's tokens, and may one day
// name people, by keys of another kind.
func TestKeyThatIsNoPerson(t *testing.T) {
	t.Parallel()
	a, save := shelved(t)
	r := &reader{}
	for _, person := range []string{"c_t_AppTokenCache", "a.t"} {
		if err := a.replace(t.Context(), a.clients.of(r), r, need{person: person}); err != nil || r.whose() != "a b c d e f app" {
			t.Errorf("%s: tokens of %q, %v", person, r.whose(), err)
		}
		save("1")
	}
}

func TestReplaceUnmarshalsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	a, save := shelved(t)
	r := &reader{}
	hint := cache.ReplaceHints{PartitionKey: "a.t"}
	for _, step := range []struct {
		name  string
		first func() error
		want  int
	}{
		{"first", nil, 1},
		{"unchanged", nil, 1},
		{"after a write that changed nothing", func() error { return a.Export(t.Context(), r, cache.ExportHints{}) }, 2},
		{"unchanged again", nil, 2},
		{"another process wrote", func() error { save("1"); return nil }, 3},
	} {
		if step.first != nil {
			if err := step.first(); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Replace(t.Context(), r, hint); err != nil || r.times != step.want {
			t.Errorf("%s: %d times, %v", step.name, r.times, err)
		}
	}
}
