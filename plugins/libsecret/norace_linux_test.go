//go:build secretservice && !race

package libsecret

// largest is the limit of items in tests.
const largest = maxBytes
