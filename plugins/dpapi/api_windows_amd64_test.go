package dpapi

import (
	"encoding/binary"
	"errors"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/msalext/msalext/extensions/backend"
)

// savesForMachine tells with which flags a save calls CryptProtectData: a
// function of ours stands at its address meanwhile, and refuses.
func savesForMachine(t *testing.T, s backend.Store) bool {
	t.Helper()
	const localMachine, uiForbidden = 0x4, 0x1
	var flags uintptr
	restore := divert(t, windows.NewLazySystemDLL("crypt32.dll").NewProc("CryptProtectData").Addr(),
		windows.NewCallback(func(_, _, _, _, _, f, _ uintptr) uintptr { flags = f; return 0 }))
	_, err := s.Save(t.Context(), "", cache, backend.None)
	restore()
	if !errors.Is(err, backend.ErrEncrypt) {
		t.Fatalf("save: %v", err)
	}
	if flags&uiForbidden == 0 {
		t.Errorf("flags %#x allow Windows to show a dialog", flags)
	}
	return flags&localMachine != 0
}

// divert makes calls of one function go to another, on amd64.
func divert(t *testing.T, from, to uintptr) (restore func()) {
	t.Helper()
	jump := binary.LittleEndian.AppendUint64([]byte{0x48, 0xb8}, uint64(to)) // mov rax, to
	jump = append(jump, 0xff, 0xe0)                                          // jmp rax
	var old uint32
	if err := windows.VirtualProtect(from, uintptr(len(jump)), windows.PAGE_EXECUTE_READWRITE, &old); err != nil {
		t.Fatal(err)
	}
	code := unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&from))), len(jump))
	before := append([]byte(nil), code...)
	copy(code, jump)
	return func() {
		copy(code, before)
		_ = windows.VirtualProtect(from, uintptr(len(jump)), old, &old)
	}
}
