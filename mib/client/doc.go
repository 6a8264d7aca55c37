// Package client is a meter seen through SNMP: its tables and scalars as typed
// values, rulesets put into it, and flows read from it, with FLOW-METER-MIB
// (RFC 2720) and, where the meter has it, RTFM-EXTENSION-MIB. It speaks SNMPv2c
// and SNMPv3.
//
// What a meter answers is not trusted: names, types, lengths and progress are
// checked, and what is wrong becomes an error that names the object.
//
// A lost datagram is sent again. Requests that must not be carried out twice
// are sent once; if there is no answer, a Client looks what became of them
// before it tries again.
package client
