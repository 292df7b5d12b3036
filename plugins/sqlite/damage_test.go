//go:build !windows || windows_sqlite

package sqlite

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/msalext/msalext/extensions/backend"
)

// specimen is a closed database with small and large items.
func specimen(t testing.TB, m mode) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cache")
	s, err := job{m, path}.open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		if _, err := s.Save(context.Background(), fmt.Sprint("key ", i), content(i), backend.None); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func content(i int) []byte { return bytes.Repeat(fmt.Appendf(nil, "%d,", i), 1+i*i*5) }

// judge uses a database that may be damaged. Whatever it answers is right, or
// an error that says so; and what can't be read is kept.
func judge(t testing.TB, m mode, damaged []byte) (trouble int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	path := filepath.Join(t.TempDir(), "cache")
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	refused := func(what string, err error) {
		trouble++
		for _, kind := range []error{backend.ErrCorrupt, backend.ErrDecrypt, backend.ErrInvalid} {
			if errors.Is(err, kind) {
				return
			}
		}
		t.Errorf("%s: %v", what, err)
	}
	s, err := job{m, path}.open(ctx)
	if err != nil {
		refused("open", err)
	} else {
		for i := range 40 {
			blob, err := s.Load(ctx, fmt.Sprint("key ", i), backend.None)
			if err != nil {
				refused("load", err)
			} else if !bytes.Equal(blob.Data, content(i)) {
				t.Errorf("item %d: %d bytes that nobody saved: %.30q", i, len(blob.Data), blob.Data)
			}
		}
		for _, err := range s.Keys(ctx, "") {
			if err != nil {
				refused("list", err)
			}
		}
		if err := s.Check(ctx); err != nil {
			refused("check", err)
		} else if trouble > 0 {
			t.Error("Check finds nothing")
		}
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if after, err := os.ReadFile(path); err != nil || trouble > 0 && !bytes.Equal(after, damaged) {
		t.Errorf("it was changed: %v", err)
	}
	return trouble
}

// Each page of a database is damaged in several ways.
func TestDamage(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain", "adiantum", "xts"} {
		m := modes[name]
		whole := specimen(t, m)
		ways := map[string]func(at int) []byte{
			"a bit": func(at int) []byte {
				data := bytes.Clone(whole)
				data[at+rand.N(pageSize)] ^= 1 << rand.N(8)
				return data
			},
			"zeros": func(at int) []byte {
				data := bytes.Clone(whole)
				clear(data[at : at+pageSize])
				return data
			},
			"noise": func(at int) []byte {
				data := bytes.Clone(whole)
				for i := range 100 {
					data[at+1000+i] = byte(rand.N(256))
				}
				return data
			},
			"another page": func(at int) []byte {
				data := bytes.Clone(whole)
				copy(data[at:at+pageSize], whole[(at+3*pageSize)%len(whole):])
				return data
			},
			"the end": func(at int) []byte { return whole[:at+rand.N(pageSize)+1] },
		}
		for way, damage := range ways {
			if way == "another page" && m.Cipher == "" {
				continue // it is a valid page
			}
			t.Run(name+", "+way, func(t *testing.T) {
				t.Parallel()
				if judge(t, m, whole) > 0 {
					t.Fatal("the test proves nothing: it was damaged before")
				}
				noticed := 0
				for at := 0; at < len(whole); at += pageSize * (1 + len(whole)/pageSize/25) {
					noticed += min(1, judge(t, m, damage(at)))
				}
				t.Logf("noticed %d times", noticed)
				if noticed == 0 {
					t.Error("nothing was noticed")
				}
			})
		}
	}
}

func FuzzDamage(f *testing.F) {
	whole := specimen(f, modes["plain"])
	f.Add(uint32(0), []byte("\x00"), uint32(len(whole)))
	f.Add(uint32(16), []byte("\x02\x00\x01\x01\x00"), uint32(len(whole)))
	f.Add(uint32(100), []byte("\x0d\x00\x00\xff\xff"), uint32(len(whole)))
	f.Add(uint32(pageSize+5), []byte("\xff\xff\xff\xff"), uint32(len(whole)-1))
	f.Fuzz(func(t *testing.T, at uint32, bytesThere []byte, size uint32) {
		data := bytes.Clone(whole)
		copy(data[int(at)%len(data):], bytesThere)
		judgeAny(t, data[:int(size)%(len(data)+1)])
	})
}

// judgeAny is judge for an enemy who also makes the checksums right: then an
// answer may be wrong, and all that counts is that there is one.
func judgeAny(t *testing.T, data []byte) {
	for _, summed := range [][]byte{data, checksummed(data)} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		path := filepath.Join(t.TempDir(), "cache")
		if err := os.WriteFile(path, summed, 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := (job{Path: path}).open(ctx); err == nil {
			_, _ = s.Load(ctx, "key 3", backend.None)
			v, err := s.Save(ctx, "key 3", content(30), backend.None)
			if err == nil {
				_ = s.Delete(ctx, "key 3", v)
			}
			for range s.Keys(ctx, "key") {
			}
			_ = s.Check(ctx)
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
		if ctx.Err() != nil {
			t.Error("it hangs")
		}
		cancel()
	}
}

// checksummed computes the checksums of all pages, as cksumvfs does.
func checksummed(data []byte) []byte {
	data = bytes.Clone(data)
	for page := range slices.Chunk(data, pageSize) {
		if len(page) < pageSize {
			break
		}
		var s1, s2 uint32
		for i := 0; i < pageSize-8; i += 8 {
			s1 += binary.LittleEndian.Uint32(page[i:]) + s2
			s2 += binary.LittleEndian.Uint32(page[i+4:]) + s1
		}
		binary.LittleEndian.PutUint32(page[pageSize-8:], s1)
		binary.LittleEndian.PutUint32(page[pageSize-4:], s2)
	}
	return data
}
