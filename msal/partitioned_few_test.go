//go:build !scale && !race

package msal_test

const crowdSize = 5000
