//go:build !scale && race

package msal_test

// The race detector makes each call ten times as long.
const crowdSize = 1000
