// Package agentx is the subagent's side of the AgentX protocol, version 1 (RFC
// 2741): it registers subtrees of the MIB with a master agent, such as
// net-snmp's snmpd, and answers what the master asks about them from an
// smi.Handler. It knows no MIB itself.
//
// A Subagent keeps a session with the master for as long as it runs. Whatever
// ends a session (a master that restarts, drops the session, falls silent,
// stops reading or sends what is no AgentX), the Subagent releases the Set
// that may be under way, connects again and registers again.
//
// The PDUs and their encoding are public for agentxtest, a fake master.
package agentx
