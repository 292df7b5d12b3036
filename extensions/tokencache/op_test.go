package tokencache

import (
	"testing"
)

func TestMergeOpNames(t *testing.T) {
	t.Parallel()
	for op, want := range map[Op]string{OpAcquire: "acquire", OpSilent: "silent", OpRemove: "remove", 9: "Op(9)"} {
		if op.String() != want {
			t.Errorf("%d: %s, want %s", op, op, want)
		}
	}
}
