package libsecret

import (
	"context"
	"iter"
	"net/url"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
)

// Keys lists the items of this cache. Sizes aren't known: reading each would
// take a call of its own.
func (s *store) Keys(ctx context.Context, prefix string) iter.Seq2[backend.KeyInfo, error] {
	return func(yield func(backend.KeyInfo, error) bool) {
		var found []backend.KeyInfo
		err := s.do(ctx, func(ctx context.Context, service *service) (err error) {
			found, err = s.keys(ctx, service, prefix)
			return err
		})
		if err != nil {
			yield(backend.KeyInfo{}, fail("list", err))
			return
		}
		for _, info := range found {
			if !yield(info, nil) {
				return
			}
		}
	}
}

func (s *store) keys(ctx context.Context, service *service, prefix string) ([]backend.KeyInfo, error) {
	further, locked, err := service.search(ctx, s.place, s.place.further())
	if err != nil {
		return nil, err
	}
	if len(locked) > 0 {
		return nil, errLocked
	}
	main, err := s.mainKey(ctx, service, prefix)
	if err != nil {
		return nil, err
	}
	rest, err := s.furtherKeys(ctx, service, further, prefix)
	return append(main, rest...), err
}

func (s *store) mainKey(ctx context.Context, service *service, prefix string) ([]backend.KeyInfo, error) {
	it, err := service.find(ctx, s.place, "")
	switch backend.KindOf(err) {
	case nil:
		if err != nil || prefix != "" || it.deleted() {
			return nil, err
		}
		return []backend.KeyInfo{info("", it)}, nil
	case backend.ErrNotFound:
		return nil, nil
	default:
		return nil, err
	}
}

func (s *store) furtherKeys(ctx context.Context, service *service, paths []dbus.ObjectPath, prefix string) ([]backend.KeyInfo, error) {
	items, err := service.items(ctx, paths)
	if err != nil {
		return nil, err
	}
	var found []backend.KeyInfo
	for _, it := range items {
		key, err := url.QueryUnescape(it.attributes[keyAttribute])
		if err == nil && key != "" && strings.HasPrefix(key, prefix) && s.place.matches(key, it.attributes) && !it.deleted() {
			found = append(found, info(key, it))
		}
	}
	return found, nil
}

func info(key string, it item) backend.KeyInfo {
	found := backend.KeyInfo{Key: key, Size: -1}
	if it.modified != 0 {
		found.Modified = time.Unix(int64(it.modified), 0)
	}
	return found
}
