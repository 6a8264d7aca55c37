//go:build unix

package cmd

import (
	"fmt"
	"os/user"
	"strconv"
	"syscall"
)

// becomeUser gives up the rights of the present user for those of another,
// unless name is empty. The secret, unless it is nil, becomes that user's. Nothing
// else is given away: only of what this process has made is it certain what it is.
func becomeUser(name string, secret *secretFile) error {
	if name == "" {
		return nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return err
	}
	if secret != nil {
		if err := secret.chown(uid, gid); err != nil {
			return fmt.Errorf("become user %s: %w", name, err)
		}
	}
	if err := syscall.Setgroups([]int{gid}); err != nil {
		return fmt.Errorf("become user %s: groups: %w", name, err)
	}
	if err := syscall.Setgid(gid); err != nil {
		return fmt.Errorf("become user %s: group: %w", name, err)
	}
	if err := syscall.Setuid(uid); err != nil {
		return fmt.Errorf("become user %s: %w", name, err)
	}
	return nil
}
