//go:build !unix

package cmd

import "errors"

// becomeUser gives up the rights of the present user for those of another,
// unless name is empty. Here it cannot.
func becomeUser(name string, secret *secretFile) error {
	if name != "" {
		return errors.New("--user: this system has no users to become")
	}
	return nil
}
