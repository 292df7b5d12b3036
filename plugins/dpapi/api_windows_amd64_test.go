package dpapi

import (
	"encoding/binary"
	"errors"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/msalext/msalext/extensions/backend"
)

// savesForMachine tells with which flags a save calls CryptProtectData.
func savesForMachine(t *testing.T, s backend.Store) bool {
	t.Helper()
	flags, err := flagsOf(func() error {
		_, err := s.Save(t.Context(), "", cache, backend.None)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if flags&windows.CRYPTPROTECT_UI_FORBIDDEN == 0 {
		t.Errorf("flags %#x allow Windows to show a dialog", flags)
	}
	return flags&windows.CRYPTPROTECT_LOCAL_MACHINE != 0
}

// flagsOf returns the flags of the call of CryptProtectData that save makes: a
// function of ours stands at its address meanwhile, and refuses.
func flagsOf(save func() error) (uintptr, error) {
	var flags uintptr
	restore, err := divert(windows.NewLazySystemDLL("crypt32.dll").NewProc("CryptProtectData").Addr(),
		windows.NewCallback(func(_, _, _, _, _, f, _ uintptr) uintptr { flags = f; return 0 }))
	if err != nil {
		return 0, err
	}
	defer restore()
	if err := save(); !errors.Is(err, backend.ErrEncrypt) {
		return 0, errors.Join(errors.New("the call went elsewhere"), err)
	}
	return flags, nil
}

// divert makes calls of one function go to another, on amd64.
func divert(from, to uintptr) (restore func(), err error) {
	jump := binary.LittleEndian.AppendUint64([]byte{0x48, 0xb8}, uint64(to)) // mov rax, to
	jump = append(jump, 0xff, 0xe0)                                          // jmp rax
	var old uint32
	if err := windows.VirtualProtect(from, uintptr(len(jump)), windows.PAGE_EXECUTE_READWRITE, &old); err != nil {
		return nil, err
	}
	code := unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&from))), len(jump))
	before := append([]byte(nil), code...)
	copy(code, jump)
	return func() {
		copy(code, before)
		_ = windows.VirtualProtect(from, uintptr(len(jump)), old, &old)
	}, nil
}
