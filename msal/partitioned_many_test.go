//go:build scale

package msal_test

const crowdSize = 100_000
