//go:build unix

package pluginhost

import (
	"os"
	"os/user"
	"strconv"
)

// inherited is what libraries need to find the user, their files, their
// session's bus and their screen. LD_*, DYLD_*, GODEBUG and credentials in
// variables stay out by not being here.
var inherited = []string{
	"HOME", "USER", "LOGNAME", "TMPDIR", "TZ",
	"LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES",
	"XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME",
	"XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE", "XDG_SESSION_ID",
	"DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY",
}

func systemPath() string { return "/usr/bin:/bin:/usr/sbin:/sbin" }

// accountEnv is what the effective user's account says.
func accountEnv() map[string]string {
	account, err := user.LookupId(strconv.Itoa(os.Geteuid()))
	if err != nil {
		return nil
	}
	return map[string]string{"HOME": account.HomeDir, "USER": account.Username, "LOGNAME": account.Username}
}
