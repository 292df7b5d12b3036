package pluginhost

import "golang.org/x/sys/windows"

// there tells whether a process exists.
func there(pid int) bool {
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return false
	}
	defer windows.CloseHandle(h)
	event, err := windows.WaitForSingleObject(h, 0)
	return err == nil && event == uint32(windows.WAIT_TIMEOUT)
}

// running tells the same.
func running(pid int) bool { return there(pid) }
