package cmd

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/spf13/cobra"
)

// frontOptions say how a meter answers SNMP.
type frontOptions struct {
	snmp        string // an address
	port        int
	agentx      string // an address
	context     string
	contact     string
	location    string
	read, write community
	sinks       []string // HOST or HOST:PORT
	trap        community

	given func(name string) bool // whether an option is on the command line
}

// add adds the options to a command's.
func (o *frontOptions) add(cmd *cobra.Command) {
	o.read = community{option: "read-community-file", variable: "RTFM_READ_COMMUNITY"}
	o.write = community{option: "write-community-file", variable: "RTFM_WRITE_COMMUNITY"}
	o.trap = community{option: "trap-community-file", variable: "RTFM_TRAP_COMMUNITY"}
	f := cmd.Flags()
	o.given = f.Changed
	f.StringVar(&o.snmp, "snmp", "127.0.0.1:1161", "answer SNMPv2c at this `ADDRESS`; of UDP; with --agentx only if it is given")
	f.VarP(newCount(&o.port, 0, 1, 65535, "a UDP port"), "port", "m", "answer SNMPv2c at this UDP `PORT` of 127.0.0.1")
	f.StringVar(&o.agentx, "agentx", "", "be a subagent of the master at this `ADDRESS`")
	f.StringVar(&o.context, "context", "", "with --agentx: be in this SNMP `CONTEXT`, so that a master can have several meters")
	o.read.add(cmd, "the read community")
	o.write.add(cmd, "the write community")
	f.StringVarP(&o.read.argument, "read-community", "r", "", "the read `COMMUNITY`; others on this machine can see it")
	f.StringVarP(&o.write.argument, "write-community", "w", "", "the write `COMMUNITY`; others on this machine can see it")
	f.StringArrayVar(&o.sinks, "trap-sink", nil, "send SNMPv2c traps to this `ADDRESS`; with --snmp: HOST or HOST:PORT of UDP (162); may be repeated")
	o.trap.add(cmd, "the community of traps")
	f.StringVar(&o.contact, "sys-contact", "", "who looks after the meter, `TEXT` of sysContact with --snmp")
	f.StringVar(&o.location, "sys-location", "", "where the meter is, `TEXT` of sysLocation with --snmp")
	group(f, groupSNMP, "snmp", "agentx", "read-community-file", "write-community-file", "trap-sink")
	cmd.MarkFlagsMutuallyExclusive("snmp", "port")
}

// longestDisplay is the length of a DisplayString, such as sysContact (RFC 2579
// section 2).
const longestDisplay = 255

// check finds options that do not fit each other.
func (o *frontOptions) check() error {
	switch {
	case o.context != "" && o.agentx == "":
		return errors.New("--context is for --agentx: SNMPv2c has no contexts")
	case len(o.contact) > longestDisplay || len(o.location) > longestDisplay:
		return fmt.Errorf("--sys-contact and --sys-location: want at most %d octets", longestDisplay)
	case o.address() == "" && o.agentx == "":
		return errors.New("neither --snmp nor --agentx: nobody could read the flows")
	case o.address() == "" && len(o.sinks) > 0:
		return errors.New("--trap-sink is for --snmp; with --agentx snmpd sends notifications where its own configuration says")
	case o.trap.file != "" && len(o.sinks) == 0:
		return errors.New("--trap-community-file is for --trap-sink")
	}
	return nil
}

// address returns where the meter itself answers, "" if it does not.
func (o *frontOptions) address() string {
	switch {
	case o.port != 0:
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(o.port))
	case o.agentx != "" && !o.given("snmp"):
		return ""
	}
	return o.snmp
}
