package cmd

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"rtfm/reader/poller"
)

const mibExporterHelp = `Print what Prometheus's snmp_exporter needs to ask meters for.

Its module rtfm is for a meter's health, with the names that --metrics has. --ruleset
adds a module rtfm_flows, for what the flows of one ruleset count, with the attributes of
--by as labels. It is for rulesets that have few flows. docs/METRICS.md says more.`

const mibZabbixHelp = `Print a template for Zabbix 7.0 and later, which polls meters over SNMP.

It has items for a meter's health and triggers for what an operator has to know. With
--ruleset it finds the flows of one ruleset, too, which are named by the attributes of
--by. It is for rulesets that have few flows. docs/METRICS.md says more.`

// polledFlows are options of which flows are polled.
type polledFlows struct {
	ruleSet int
	by      []string
}

// add adds the options to a command.
func (p *polledFlows) add(cmd *cobra.Command) {
	cmd.Flags().IntVar(&p.ruleSet, "ruleset", 0, "poll the flows of the ruleset of this `NUMBER`, too")
	cmd.Flags().StringSliceVar(&p.by, "by", nil, "tell flows apart by these `ATTRIBUTES`, such as SourcePeerAddress,FlowKind")
}

// flows returns which flows are polled, nil if none are.
func (p *polledFlows) flows(cmd *cobra.Command) (*poller.Flows, error) {
	switch {
	case !cmd.Flags().Changed("ruleset") && len(p.by) > 0:
		return nil, errors.New("--by is of the flows of --ruleset NUMBER")
	case !cmd.Flags().Changed("ruleset"):
		return nil, nil
	case p.ruleSet < 1 || p.ruleSet > 255:
		return nil, errors.New("--ruleset: the numbers of rulesets are 1 to 255")
	case len(p.by) == 0:
		return nil, errors.New("--ruleset wants --by ATTRIBUTES: what its flows are told apart by")
	}
	return poller.NewFlows(p.ruleSet, p.by)
}

// pollerCommand returns a command that prints a configuration.
func pollerCommand(use, short, long string, write func(io.Writer, *poller.Flows) error) *cobra.Command {
	var p polledFlows
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			flows, err := p.flows(cmd)
			if err != nil {
				return err
			}
			return write(cmd.OutOrStdout(), flows)
		},
	}
	p.add(cmd)
	return cmd
}

// mibExporterCommand is `rtfm mib snmp-exporter`.
func mibExporterCommand() *cobra.Command {
	var old bool
	cmd := pollerCommand("snmp-exporter", "Print a configuration of Prometheus's snmp_exporter", mibExporterHelp, func(w io.Writer, f *poller.Flows) error {
		return poller.WriteExporter(w, f, old)
	})
	cmd.Flags().BoolVar(&old, "old", false, "for releases before 0.23, whose modules have a community: public, to be edited")
	return cmd
}

// mibZabbixCommand is `rtfm mib zabbix`.
func mibZabbixCommand() *cobra.Command {
	return pollerCommand("zabbix", "Print a template for Zabbix", mibZabbixHelp, poller.WriteZabbix)
}
