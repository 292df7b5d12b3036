package extensions_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/msalext/msalext/internal/testproc"
)

// preparations change what the process sees; each returns where the plugins
// are then.
var preparations = map[string]func(plugins, dir string) (string, error){
	"read-only root": func(plugins, _ string) (string, error) { return plugins, readOnlyRoot(plugins) },
	"read-only root, but a volume": func(plugins, dir string) (string, error) {
		volume := filepath.Join(filepath.Dir(dir), "place")
		if err := testproc.MountTmpfs(volume, "64k"); err != nil {
			return "", err
		}
		return plugins, errors.Join(readOnlyRoot(plugins), os.WriteFile(volume+"/x", nil, 0o600))
	},
	"noexec": func(plugins, dir string) (string, error) { return plugins, mountNoexec(dir) },
	"noexec, with the plugins in it": func(plugins, dir string) (string, error) {
		if err := mountNoexec(dir); err != nil {
			return "", err
		}
		for _, name := range []string{"file", "libsecret"} {
			if err := copyFile(filepath.Join(dir, "msalext-plugin-"+name), filepath.Join(plugins, "msalext-plugin-"+name)); err != nil {
				return "", err
			}
		}
		if err := exec.Command(filepath.Join(dir, "msalext-plugin-file")).Run(); !errors.Is(err, os.ErrPermission) {
			return "", fmt.Errorf("programs run there: %w", err)
		}
		return dir, nil
	},
	"podman": func(plugins, dir string) (string, error) {
		err := testproc.MountTmpfs("/run", "64k")
		return plugins, errors.Join(err, os.WriteFile("/run/.containerenv", nil, 0o644))
	},
	"machine": func(plugins, dir string) (string, error) { return plugins, machine(dir, debian) },
	"docker":  func(plugins, dir string) (string, error) { return plugins, machine(dir, debian, "/.dockerenv") },
	"WSL":     func(plugins, dir string) (string, error) { return plugins, machine(dir, wsl2) },
}

const (
	debian = "Linux version 6.1.0-38-amd64 (debian-kernel@lists.debian.org) (gcc-12) #1 SMP\n"
	wsl2   = "Linux version 5.15.167.4-microsoft-standard-WSL2 (gcc) #1 SMP\n"
)

// machine makes this process see a machine with this kernel, these additional
// files, and no session: the tests may run in a container or on WSL themselves.
// All else is as it is.
func machine(dir, kernel string, files ...string) error {
	root := filepath.Join(dir, "root")
	if err := errors.Join(os.Mkdir(root, 0o755), testproc.MountTmpfs(root, "64k"), os.Chmod(root, 0o755)); err != nil {
		return err
	}
	top, err := os.ReadDir("/")
	for _, entry := range top {
		err = errors.Join(err, sameIn(root, entry))
	}
	err = errors.Join(err,
		syscall.Mount("tmpfs", root+"/run", "tmpfs", 0, "size=64k"),
		os.WriteFile(root+"/.kernel", []byte(kernel), 0o644),
		os.WriteFile(root+"/.groups", []byte("0::/init.scope\n"), 0o644),
		syscall.Mount(root+"/.kernel", root+"/proc/version", "", syscall.MS_BIND, ""),
		syscall.Mount(root+"/.groups", root+"/proc/1/cgroup", "", syscall.MS_BIND, ""),
	)
	for _, file := range files {
		err = errors.Join(err, os.WriteFile(root+file, nil, 0o644))
	}
	return errors.Join(err, syscall.Chroot(root), syscall.Chdir("/"))
}

// sameIn puts a directory or link of the root into another root.
func sameIn(root string, entry os.DirEntry) error {
	from, to := "/"+entry.Name(), filepath.Join(root, entry.Name())
	switch {
	case entry.IsDir():
		return errors.Join(os.Mkdir(to, 0o755), syscall.Mount(from, to, "", syscall.MS_BIND|syscall.MS_REC, ""))
	case entry.Type() == os.ModeSymlink:
		target, err := os.Readlink(from)
		return errors.Join(err, os.Symlink(target, to))
	}
	return nil // such as the mark of a container
}

func readOnlyRoot(plugins string) error {
	err := errors.Join(
		syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
		syscall.Mount("/", "/", "", syscall.MS_BIND|syscall.MS_REC, ""),
		syscall.Chroot("/"), // the new mount lies over the old root
		syscall.Mount("", "/", "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""),
	)
	if werr := os.WriteFile(plugins+"/x", nil, 0o600); !errors.Is(werr, syscall.EROFS) {
		err = errors.Join(err, fmt.Errorf("the root isn't read-only: %w", werr))
	}
	return err
}

func mountNoexec(dir string) error {
	err := testproc.MountTmpfs(dir, "64m")
	return errors.Join(err, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_NOEXEC, "size=64m"), os.Chmod(dir, 0o700))
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
