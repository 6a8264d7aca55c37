// Package smi holds what every SNMP front end and every MIB agree on: object
// identifiers, the values of SMIv2 (RFC 2578), variable bindings and their
// Basic Encoding Rules form (RFC 3417 section 8), the error statuses of RFC
// 3416, and Handler, the interface between a front end and a MIB.
//
// A VarBind owns the memory that it points to. Whoever fills one copies into
// it and thereby uses its buffers again, so that a front end which keeps its
// VarBinds answers request after request without allocating.
package smi
