// Package e2e uses the example web app as people do: with a real browser, and
// in a crowd. Its tests have the build tag e2e, need Linux, Debian's chromium
// and redis-server, and are run by ci/e2e/run.
package e2e
