package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// fileSystem names what a directory lies on, as statfs(2) numbers it.
func fileSystem(dir string) string {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return err.Error()
	}
	names := map[int64]string{0x01021994: "tmpfs", 0xef53: "ext4", 0x9123683e: "btrfs", 0x58465342: "xfs", 0x794c7630: "overlayfs"}
	if name := names[int64(st.Type)]; name != "" {
		return name
	}
	return fmt.Sprintf("file system %#x", st.Type)
}

// load is the machine's load average of the last minute. Above its number of
// processors, bounds that compare times mean little.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	last, _, _ := strings.Cut(string(text), " ")
	return last
}

// leftovers lists processes of a plugin and zombies of this program.
func leftovers(plugin string) []string {
	var found []string
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		stat, err := os.ReadFile(dir + "/stat")
		if err != nil {
			continue // it has ended meanwhile
		}
		_, after, _ := strings.Cut(string(stat), ") ") // pid (comm) state ppid …
		fields := strings.Fields(after)
		if len(fields) > 1 && fields[0] == "Z" && fields[1] == strconv.Itoa(os.Getpid()) {
			found = append(found, "zombie "+filepath.Base(dir))
		}
		line, _ := os.ReadFile(dir + "/cmdline")
		if name, _, _ := strings.Cut(string(line), "\x00"); name == plugin {
			found = append(found, "process "+filepath.Base(dir))
		}
	}
	return found
}
