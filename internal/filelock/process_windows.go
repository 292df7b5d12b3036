package filelock

import (
	"strconv"
	"time"

	"golang.org/x/sys/windows"
)

func lookUp(pid int) process {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION|windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil { // ERROR_INVALID_PARAMETER: no such process
		return process{alive: err != windows.ERROR_INVALID_PARAMETER}
	}
	defer windows.CloseHandle(h)
	// An ended process exists as long as somebody has a handle to it.
	if event, err := windows.WaitForSingleObject(h, 0); err == nil && event == windows.WAIT_OBJECT_0 {
		return process{}
	}
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(h, &created, &exited, &kernel, &user); err != nil {
		return process{alive: true}
	}
	ns := created.Nanoseconds()
	return process{alive: true, start: strconv.FormatInt(ns/100, 10), began: time.Unix(0, ns)}
}

func pidNamespace() string { return "" }
