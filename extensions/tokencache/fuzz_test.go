package tokencache

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
)

func seeds() [][]byte {
	alice, bob := signIn("alice", "c", "1"), signIn("bob", "c", "2")
	return [][]byte{
		nil, []byte(" "), []byte("\ufeff{}"), []byte(`{"Account":{"k":}}`), []byte(`{"Account":null,"X":[{"a":"\ud83d"}]}`),
		[]byte(`{"Account" : {"a":null, "b":{} ,"c":[1e400,"\\\""]}, "RefreshToken":{}} `),
		[]byte(`{"AccessToken":{"k":{"client_id":"c","environment":"e","expires_on":null,"\u0074arget":"é b a"}}}`),
		doc(alice...), doc(bob...), doc(slices.Concat(alice, bob)...), doc(append(signIn("alice", "c", "3"), bob...)...), doc(app("c")),
		doc(account("alice").at("x").with("environment", "login.windows.net"), rt("alice", "c", "x").at("y").with("last_modification_time", "99")),
	}
}

func FuzzDeserialize(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var c TokenCache
		if err := c.Deserialize(data); err != nil {
			return
		}
		out := c.Serialize()
		if !json.Valid(out) {
			t.Errorf("invalid JSON: %q", out)
		}
		if in := bytes.TrimPrefix(data, byteOrderMark); len(bytes.TrimSpace(in)) > 0 && !bytes.Equal(in, out) {
			t.Errorf("read %q, wrote %q", in, out)
		}
		if out := c.rewrite(); !json.Valid(out) {
			t.Errorf("put together as invalid JSON: %q", out)
		}
		for _, a := range c.Accounts() {
			c.RemoveAccount(a, "")
		}
		if out := c.Serialize(); !json.Valid(out) || len(c.Accounts()) != 0 {
			t.Errorf("after the sign-outs: %q", out)
		}
		if out, err := Readable(data); err != nil || len(out) > 0 && !json.Valid(out) && len(bytes.TrimSpace(out)) > 0 {
			t.Errorf("readable part: %v, %q", err, out)
		}
	})
}

func FuzzMerge(f *testing.F) {
	all := seeds()
	for i, s := range all {
		f.Add(s, all[(i+3)%len(all)], all[(i+7)%len(all)], uint8(i))
		f.Add(all[7], all[(i+1)%len(all)], s, uint8(i))
	}
	f.Fuzz(func(t *testing.T, base, ours, theirs []byte, op uint8) {
		in := bytes.Join([][]byte{base, ours, theirs}, nil)
		out, changed, err := Merge(base, ours, theirs, Op(op%3))
		if !bytes.Equal(in, bytes.Join([][]byte{base, ours, theirs}, nil)) {
			t.Error("Merge wrote to its arguments")
		}
		if err != nil {
			if out != nil || changed {
				t.Errorf("error and a result: %q", out)
			}
			return
		}
		checkMerged(t, base, ours, theirs, out, changed, Op(op%3))
	})
}
