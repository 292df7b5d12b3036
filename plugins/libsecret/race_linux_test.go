//go:build secretservice && race

package libsecret

// largest is the limit of items in tests. The race detector looks at each of
// the steps by which godbus encodes a byte.
const largest = 8 << 10
