package tokencache

// Leading parts data into the cache that it starts with, which Deserialize
// takes, and the bytes behind it: what was left when a shorter cache was
// written over a longer one in place, or while it is being written. MSAL for Go
// doesn't look at them. For a cache without such bytes rest is empty. The error
// is that of Deserialize where the cache isn't whole.
func Leading(data []byte) (cache, rest []byte, err error) {
	_, cache, err = readLeading(data)
	if err != nil {
		return nil, nil, err
	}
	return cache, data[len(cache):], nil
}
