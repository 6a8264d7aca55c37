package cmd

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/mib/client"
)

// snmpOptions say how to reach a meter: those of a command that has HOST and
// COMMUNITY as arguments.
type snmpOptions struct {
	community community
	port      int
	timeout   float64 // seconds
	retries   int

	user, auth, priv, context string
	authFile, privFile        string

	given func(name string) bool // whether an option is on the command line
}

// add adds the options to a command's.
func (o *snmpOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	o.given = f.Changed
	f.VarP(newCount(&o.port, 161, 1, 65535, "a UDP port"), "port", "m", "UDP `PORT` of the meter; if HOST has none")
	o.community.add(cmd, "the community")
	f.StringVar(&o.user, "user", "", "SNMPv3: the `USER`, in place of a community")
	f.Var(newProtocol(&o.auth, "SHA-256", "SHA-224", "SHA-256", "SHA-384", "SHA-512"), "auth", "SNMPv3: authenticate by this `PROTOCOL`; SHA-224, SHA-256, SHA-384 or SHA-512")
	f.StringVar(&o.authFile, "auth-file", "", "SNMPv3: `FILE` of the authentication passphrase; or environment RTFM_AUTH")
	f.Var(newProtocol(&o.priv, "AES-128", "AES-128", "AES-192", "AES-256"), "priv", "SNMPv3: encrypt by this `PROTOCOL`; AES-128, AES-192 or AES-256")
	f.StringVar(&o.privFile, "priv-file", "", "SNMPv3: `FILE` of the privacy passphrase; or environment RTFM_PRIV")
	f.StringVar(&o.context, "context", "", "SNMPv3: the `CONTEXT`")
	f.Var(newSeconds(&o.timeout, 2, 0.001, maxSeconds), "timeout", "wait for an answer for so many `SECONDS`")
	f.Var(newCount(&o.retries, 3, 0, math.MaxInt32, "a number"), "retries", "ask again so many `TIMES` when there is no answer")
	group(f, groupSNMP, "port", o.community.option, "user", "auth-file", "priv-file")
}

// newProtocol returns a choice of SNMPv3's protocols, which tells those who want a
// weak one why there is none.
func newProtocol(to *string, value string, protocols ...string) *choice {
	c := newChoice(to, value, protocols...)
	c.why = client.Weak
	return c
}

// names are the names of the options.
func (o *snmpOptions) names() []string {
	return []string{"port", o.community.option, "user", "auth", "auth-file", "priv", "priv-file", "context", "timeout", "retries"}
}

// config returns how to reach the meter that the arguments name, HOST and
// perhaps COMMUNITY.
func (o *snmpOptions) config(args []string, warn io.Writer) (client.Config, error) {
	c := client.Config{Address: args[0], Timeout: seconds(o.timeout), Retries: o.retries}
	if o.user != "" && len(args) > 1 {
		return c, errors.New("a COMMUNITY is SNMPv2c, --user is SNMPv3: only one of them can be given")
	}
	if o.retries == 0 {
		c.Retries = -1
	}
	if err := client.CheckTransport(c.Address); err != nil {
		return c, err
	}
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		c.Address = net.JoinHostPort(strings.Trim(c.Address, "[]"), strconv.Itoa(o.port))
	}
	err := o.needUser()
	if err != nil {
		return c, err
	}
	if o.user != "" {
		c.Version, c.User, c.Auth, c.Priv, c.ContextName = client.V3, o.user, o.auth, o.priv, o.context
		auth, priv := community{file: o.authFile, variable: "RTFM_AUTH"}, community{file: o.privFile, variable: "RTFM_PRIV"}
		if c.AuthPassphrase, err = auth.value(warn); err == nil {
			c.PrivPassphrase, err = priv.value(warn)
		}
		if err == nil {
			err = o.secure(&c)
		}
	} else {
		if len(args) > 1 {
			o.community.argument = args[1]
		}
		if c.Community, err = o.community.value(warn); err == nil && c.Community == "" {
			err = fmt.Errorf("no COMMUNITY given, nor --%s or %s; SNMPv3 takes --user", o.community.option, o.community.variable)
		}
	}
	if err != nil {
		return c, err
	}
	return c, c.Check()
}

// needUser refuses options of SNMPv3 without a user: SNMPv2c would not heed them.
func (o *snmpOptions) needUser() error {
	if o.user != "" {
		return nil
	}
	for _, name := range []string{"user", "auth", "auth-file", "priv", "priv-file", "context"} {
		if o.given(name) {
			return fmt.Errorf("--%s is for SNMPv3, which takes a --user", name)
		}
	}
	return nil
}

// secure refuses to do without the authentication or encryption that is asked
// for, for lack of a passphrase.
func (o *snmpOptions) secure(c *client.Config) error {
	switch {
	case o.given("auth") && c.AuthPassphrase == "":
		return fmt.Errorf("--auth %s: no passphrase is given, by --auth-file or RTFM_AUTH", o.auth)
	case o.given("priv") && c.PrivPassphrase == "":
		return fmt.Errorf("--priv %s: no passphrase is given, by --priv-file or RTFM_PRIV", o.priv)
	}
	return nil
}
