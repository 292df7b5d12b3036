package ownedfile

import (
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// ownerOnly is the security of what we create: owned by the user, also when
// the process is elevated (else Administrators would own it, and the same user
// without elevation had no access), with an access list that names nobody
// else and inherits nothing. What is created in a directory inherits it.
func ownerOnly(dir bool) (*windows.SecurityAttributes, error) {
	user, err := currentUser()
	if err != nil {
		return nil, err
	}
	inherit := ""
	if dir {
		inherit = "OICI"
	}
	sid := user.String()
	sd, err := windows.SecurityDescriptorFromString("O:" + sid + "D:P(A;" + inherit + ";FA;;;" + sid + ")")
	if err != nil {
		return nil, err
	}
	return &windows.SecurityAttributes{
		Length:             uint32(unsafe.Sizeof(windows.SecurityAttributes{})),
		SecurityDescriptor: sd,
	}, nil
}

func currentUser() (*windows.SID, error) {
	u, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, err
	}
	return u.User.Sid, nil
}

// checkOwner accepts the user and those who could take the file anyway:
// administrators own what their elevated processes create.
func checkOwner(f *os.File) error {
	sd, err := windows.GetSecurityInfo(windows.Handle(f.Fd()), windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return Wrap("open", &os.PathError{Op: "read owner of", Path: f.Name(), Err: err})
	}
	owner, _, err := sd.Owner()
	if err != nil {
		return Wrap("open", &os.PathError{Op: "read owner of", Path: f.Name(), Err: err})
	}
	user, err := currentUser()
	if err != nil {
		return Wrap("open", err)
	}
	if owner.Equals(user) || owner.IsWellKnown(windows.WinBuiltinAdministratorsSid) || owner.IsWellKnown(windows.WinLocalSystemSid) {
		return nil
	}
	return refuse(f.Name(), "it belongs to another user", "choose a location of your own")
}
