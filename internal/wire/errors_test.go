package wire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/msalext/msalext/extensions/backend"
	"github.com/msalext/msalext/extensions/backend/memory"
	pb "github.com/msalext/msalext/internal/wire/persistencepb"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
)

// failing returns a store across the wire whose Load fails with err.
func failing(t *testing.T, err error) backend.Store {
	t.Helper()
	f := &fake{load: func(context.Context, string, backend.Version) (backend.Blob, error) { return backend.Blob{}, err }}
	c, _, _ := remote(t, f)
	return openStore(t, c, backend.Config{})
}

func TestErrorsAreTheSameAcrossTheWire(t *testing.T) {
	t.Parallel()
	var tests []error
	for _, kind := range backend.Kinds() {
		tests = append(tests, kind,
			&backend.Error{Op: "load", Kind: kind},
			&backend.Error{Op: "deep load", Kind: kind, Hint: "do this", Err: errors.New("because")},
			&backend.Error{Op: "load", Kind: kind, Err: context.DeadlineExceeded},
			fmt.Errorf("wrapped: %w", kind))
	}
	for _, ended := range []error{context.Canceled, context.DeadlineExceeded} {
		tests = append(tests, ended, backend.Wrap("load", "", backend.ErrUnavailable, ended), fmt.Errorf("inner: %w", ended))
	}
	all := append(backend.Kinds(), context.Canceled, context.DeadlineExceeded)
	for _, want := range tests {
		_, got := failing(t, want).Load(t.Context(), "", "")
		for _, target := range all {
			if errors.Is(got, target) != errors.Is(want, target) {
				t.Errorf("%v became %v: differs as %v", want, got, target)
			}
		}
		if errors.Is(got, ErrLost) {
			t.Errorf("%v became lost", want)
		}
		if we, ok := want.(*backend.Error); ok {
			ge, ok := errors.AsType[*backend.Error](got)
			if !ok || ge.Op != we.Op || ge.Hint != we.Hint || ge.Error() != we.Error() {
				t.Errorf("%v became %v", want, got)
			}
		}
	}
}

func TestEveryKindHasARow(t *testing.T) {
	t.Parallel()
	for _, kind := range backend.Kinds() {
		k, _ := toKind(kind)
		if back, known := fromKind(k); back != kind || !known {
			t.Errorf("%v becomes %v", kind, back)
		}
	}
	for k := range pb.ErrorKind_name {
		if _, known := fromKind(pb.ErrorKind(k)); known != (k != 0) {
			t.Errorf("%v has no kind", pb.ErrorKind(k))
		}
	}
	for _, row := range table {
		if row.code == codes.Canceled || row.code == codes.DeadlineExceeded || row.code == codes.OK {
			t.Errorf("%v has code %v", row.kind, row.code)
		}
	}
}

func TestUnknownErrorIsUnavailable(t *testing.T) {
	t.Parallel()
	_, err := failing(t, errors.New("boom\x1b[2J")).Load(t.Context(), "", "")
	if !errors.Is(err, backend.ErrUnavailable) || !errors.Is(err, ErrUnexplained) || errors.Is(err, ErrLost) || !strings.Contains(err.Error(), `boom\x1b[2J`) {
		t.Errorf("%v", err)
	}
}

func TestStatusWithoutDetail(t *testing.T) {
	t.Parallel()
	tests := []struct {
		code        codes.Code
		want        error
		lost        bool
		unexplained bool
	}{
		{codes.Canceled, backend.ErrUnavailable, true, false},
		{codes.Aborted, backend.ErrConflict, false, false},
		{codes.AlreadyExists, backend.ErrConflict, false, false},
		{codes.FailedPrecondition, backend.ErrLocked, false, false},
		{codes.InvalidArgument, backend.ErrInvalid, false, false},
		{codes.OutOfRange, backend.ErrUnavailable, false, true},
		{codes.NotFound, backend.ErrNotFound, false, false},
		{codes.Unimplemented, backend.ErrUnsupported, false, false},
		{codes.ResourceExhausted, backend.ErrTooLarge, false, false},
		{codes.PermissionDenied, backend.ErrDenied, false, false},
		{codes.Unauthenticated, backend.ErrDenied, false, false},
		{codes.DataLoss, backend.ErrCorrupt, false, false},
		{codes.Unknown, backend.ErrUnavailable, false, true},
		{codes.Internal, backend.ErrUnavailable, false, true},
		{codes.Code(4711), backend.ErrUnavailable, false, true},
		{codes.Unavailable, backend.ErrUnavailable, true, false},
		{codes.DeadlineExceeded, backend.ErrTimeout, false, false},
		{codes.DeadlineExceeded, context.DeadlineExceeded, false, false},
	}
	for _, tt := range tests {
		err := origin{op: "load"}.decode(t.Context(), status.Error(tt.code, "text"))
		if !errors.Is(err, tt.want) || errors.Is(err, ErrLost) != tt.lost || errors.Is(err, ErrUnexplained) != tt.unexplained {
			t.Errorf("%v became %v", tt.code, err)
		}
	}
}

// TestDetailsOfOthers are what plugins that weren't made with this package may
// send: codes and kinds that don't belong together, and kinds of the future.
func TestDetailsOfOthers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		code        codes.Code
		kind        pb.ErrorKind
		want        []error
		unexplained bool
	}{
		"no kind":               {codes.Unknown, 0, []error{backend.ErrUnavailable}, true},
		"no kind, a known code": {codes.NotFound, 0, []error{backend.ErrUnavailable}, true},
		"no kind, unavailable":  {codes.Unavailable, 0, []error{backend.ErrUnavailable}, true},
		"a kind of the future":  {codes.Unknown, 99, []error{backend.ErrUnavailable}, true},
		"cancelled":             {codes.Canceled, 0, []error{context.Canceled}, false},
		"late":                  {codes.DeadlineExceeded, 0, []error{context.DeadlineExceeded}, false},
		"late, with a kind":     {codes.DeadlineExceeded, pb.ErrorKind_ERROR_KIND_LOCKED, []error{context.DeadlineExceeded, backend.ErrLocked}, false},
		"cancelled, the future": {codes.Canceled, 99, []error{context.Canceled}, false},
		"the kind counts":       {codes.NotFound, pb.ErrorKind_ERROR_KIND_CORRUPT, []error{backend.ErrCorrupt}, false},
	} {
		st, err := status.New(tt.code, "text").WithDetails(&pb.ErrorDetail{Kind: tt.kind, Message: "text"})
		if err != nil {
			t.Fatal(err)
		}
		err = origin{op: "load"}.decode(t.Context(), st.Err())
		for _, target := range append(backend.Kinds(), context.Canceled, context.DeadlineExceeded) {
			if errors.Is(err, target) != slices.Contains(tt.want, target) {
				t.Errorf("%s became %v, which differs as %v", name, err, target)
			}
		}
		if errors.Is(err, ErrUnexplained) != tt.unexplained || errors.Is(err, ErrLost) || !strings.Contains(err.Error(), "text") {
			t.Errorf("%s became %v", name, err)
		}
	}
}

func TestContextOfTheCaller(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{}, 2)
	f := &fake{load: func(ctx context.Context, _ string, _ backend.Version) (backend.Blob, error) {
		begun <- struct{}{}
		<-ctx.Done()
		return backend.Blob{}, ctx.Err()
	}}
	c, _, _ := remote(t, f)
	s := openStore(t, c, backend.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	if _, err := s.Load(ctx, "", ""); !errors.Is(err, context.Canceled) || backend.KindOf(err) != nil {
		t.Errorf("canceled: %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 1)
	defer cancel()
	if _, err := s.Load(ctx, "", ""); !errors.Is(err, context.DeadlineExceeded) || backend.KindOf(err) != nil {
		t.Errorf("deadline: %v", err)
	}
}

func TestLostConnection(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(link){
		"the plugin died":      func(l link) { l.server.Stop() },
		"this side hung up":    func(l link) { _ = l.conn.Close() },
		"both, the other last": func(l link) { _ = l.conn.Close(); l.server.Stop() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _, l := remote(t, &memory.Backend{})
			s := openStore(t, c, backend.Config{})
			seen := watchInto(t.Context(), s, "k")
			saveUntil(t, s, "k", seen)
			cut(l)
			var last error
			for err := range seen {
				last = err
			}
			_, err := s.Load(t.Context(), "", "")
			for _, err := range []error{err, last} {
				if !errors.Is(err, ErrLost) || !errors.Is(err, backend.ErrUnavailable) {
					t.Errorf("not lost: %v", err)
				}
			}
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"plain", "plain"},
		{" größe\n\tx ", "größe  x"},
		{"\x1b]0;title\a\x00", `\x1b]0;title\a\x00`},
		{"a\u202eb\u200bc\x9b", `a\u202eb\u200bc` + "\ufffd"},
		{"\xff\x7f", "\ufffd" + `\x7f`},
	}
	for _, tt := range tests {
		if got := Clean(tt.in); got != tt.want {
			t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
		}
	}
	if got := Clean(strings.Repeat("€", MaxText)); len(got) > MaxText || !utf8.ValidString(got) || !strings.HasSuffix(got, ellipsis) {
		t.Errorf("cut to %d bytes: %q", len(got), got)
	}
}

// FuzzError: whatever a plugin sends as status and details, the error shows no
// control character, isn't long, and nothing panics.
func FuzzError(f *testing.F) {
	good, _ := anypb.New(&pb.ErrorDetail{Kind: 3, Op: "load", Message: "m\x1b[0m", Hint: "h\u202e"})
	f.Add(int32(9), "message\n\x00", good.GetTypeUrl(), good.GetValue())
	f.Add(int32(-1), "\xff", good.GetTypeUrl(), []byte{0x12, 0x01, 0xff})
	f.Add(int32(4), "", "type.googleapis.com/google.protobuf.Any", []byte{1})
	f.Add(int32(1), "", good.GetTypeUrl(), []byte{0x08, 0xff, 0xff, 0xff, 0xff, 0x07})
	f.Fuzz(func(t *testing.T, code int32, message, url string, value []byte) {
		st := status.FromProto(&spb.Status{Code: code, Message: message, Details: []*anypb.Any{{TypeUrl: url, Value: value}, good}})
		if st.Code() == codes.OK {
			return
		}
		err := origin{op: "load", backend: "fuzz", scrub: (*scrubber)(nil).with(map[string]backend.Secret{"s": backend.Secret("sesame")})}.decode(t.Context(), st.Err())
		if _, ok := errors.AsType[*backend.Error](err); !ok {
			t.Fatalf("%T", err)
		}
		text := err.Error()
		if len(text) > 4*MaxText || !utf8.ValidString(text) || strings.Contains(text, "sesame") || strings.ContainsFunc(text, unicode.IsControl) {
			t.Fatalf("%q", text)
		}
	})
}
