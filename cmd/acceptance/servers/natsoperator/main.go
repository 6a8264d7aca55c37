// Natsoperator makes what servers of NATS need to know users by what they have signed: it
// writes the credentials of a user into a file, and prints the part of the configuration
// that lets the user in.
//
//	natsoperator CREDENTIALS
package main

import (
	"fmt"
	"os"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: natsoperator CREDENTIALS")
		os.Exit(1)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "natsoperator:", err)
		os.Exit(1)
	}
}

func run(credentials string) error {
	operator, operatorName, err := pair(nkeys.CreateOperator)
	if err != nil {
		return err
	}
	account, accountName, err := pair(nkeys.CreateAccount)
	if err != nil {
		return err
	}
	_, systemName, err := pair(nkeys.CreateAccount)
	if err != nil {
		return err
	}
	user, userName, err := pair(nkeys.CreateUser)
	if err != nil {
		return err
	}
	ofOperator, err := jwt.NewOperatorClaims(operatorName).Encode(operator)
	if err != nil {
		return err
	}
	claims := jwt.NewAccountClaims(accountName)
	claims.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: -1, DiskStorage: -1, Streams: -1, Consumer: -1}
	ofAccount, err := claims.Encode(operator)
	if err != nil {
		return err
	}
	ofSystem, err := jwt.NewAccountClaims(systemName).Encode(operator)
	if err != nil {
		return err
	}
	ofUser, err := jwt.NewUserClaims(userName).Encode(account)
	if err != nil {
		return err
	}
	seed, err := user.Seed()
	if err != nil {
		return err
	}
	text, err := jwt.FormatUserConfig(ofUser, seed)
	if err != nil {
		return err
	}
	fmt.Printf("operator: %s\nresolver: MEMORY\nsystem_account: %s\n", ofOperator, systemName)
	fmt.Printf("resolver_preload: { %s: %s, %s: %s }\n", accountName, ofAccount, systemName, ofSystem)
	return os.WriteFile(credentials, text, 0o600)
}

// pair makes a key and returns its public part, too, which is a name.
func pair(create func() (nkeys.KeyPair, error)) (nkeys.KeyPair, string, error) {
	key, err := create()
	if err != nil {
		return nil, "", err
	}
	name, err := key.PublicKey()
	return key, name, err
}
