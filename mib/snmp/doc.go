// Package snmp is a small SNMP agent: it answers SNMPv2c requests (RFC 1901,
// RFC 3416) that arrive on a packet socket from an smi.Handler, so that a MIB
// can be read and set where no master agent is installed. Messages of other
// versions are dropped, as are those of unknown communities.
//
// TrapSink sends notifications.
//
// Beside the Handler's variables it has those of the system group (RFC 3418)
// that managers look at first.
package snmp
