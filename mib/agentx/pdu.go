package agentx

import (
	"fmt"

	"rtfm/mib/smi"
)

// Type is the type of a PDU (RFC 2741 section 6.1).
type Type uint8

// The types of PDUs.
const (
	Open            Type = 1
	Close           Type = 2
	Register        Type = 3
	Unregister      Type = 4
	Get             Type = 5
	GetNext         Type = 6
	GetBulk         Type = 7
	TestSet         Type = 8
	CommitSet       Type = 9
	UndoSet         Type = 10
	CleanupSet      Type = 11
	Notify          Type = 12
	Ping            Type = 13
	IndexAllocate   Type = 14
	IndexDeallocate Type = 15
	AddAgentCaps    Type = 16
	RemoveAgentCaps Type = 17
	Response        Type = 18
)

var typeNames = [...]string{
	Open: "Open", Close: "Close", Register: "Register", Unregister: "Unregister",
	Get: "Get", GetNext: "GetNext", GetBulk: "GetBulk", TestSet: "TestSet",
	CommitSet: "CommitSet", UndoSet: "UndoSet", CleanupSet: "CleanupSet",
	Notify: "Notify", Ping: "Ping", IndexAllocate: "IndexAllocate",
	IndexDeallocate: "IndexDeallocate", AddAgentCaps: "AddAgentCaps",
	RemoveAgentCaps: "RemoveAgentCaps", Response: "Response",
}

func (t Type) valid() bool { return t >= Open && t <= Response }

// String returns the type's name as RFC 2741 spells it, without "agentx-" and
// "-PDU".
func (t Type) String() string {
	if t.valid() {
		return typeNames[t]
	}
	return fmt.Sprintf("type(%d)", uint8(t))
}

// hasContext reports whether PDUs of this type may name a context (RFC 2741
// section 6.1.1).
func (t Type) hasContext() bool {
	switch t {
	case Open, Close, CommitSet, UndoSet, CleanupSet, Response:
		return false
	}
	return true
}

// context returns the name of the PDU's context, "" for the default one.
func (p *PDU) context() string {
	if p.Flags&NonDefaultContext == 0 {
		return ""
	}
	return string(p.Context)
}

// Flags are the bits of a PDU header's h.flags (RFC 2741 section 6.1).
type Flags uint8

// The flags.
const (
	InstanceRegistration Flags = 1 << 0
	NewIndex             Flags = 1 << 1
	AnyIndex             Flags = 1 << 2
	NonDefaultContext    Flags = 1 << 3
	NetworkByteOrder     Flags = 1 << 4
)

// Reason is why a session is closed (RFC 2741 section 6.2.2).
type Reason uint8

// The reasons.
const (
	ReasonOther         Reason = 1
	ReasonParseError    Reason = 2
	ReasonProtocolError Reason = 3
	ReasonTimeouts      Reason = 4
	ReasonShutdown      Reason = 5
	ReasonByManager     Reason = 6
)

var reasonNames = [...]string{
	ReasonOther: "other", ReasonParseError: "parseError", ReasonProtocolError: "protocolError",
	ReasonTimeouts: "timeouts", ReasonShutdown: "shutdown", ReasonByManager: "byManager",
}

// String returns the reason's name as RFC 2741 spells it, without "reason".
func (r Reason) String() string {
	if r >= ReasonOther && r <= ReasonByManager {
		return reasonNames[r]
	}
	return fmt.Sprintf("reason(%d)", uint8(r))
}

// Code is the res.error of a Response: an smi.Status below 256, else one of
// the codes below (RFC 2741 section 6.2.16).
type Code uint16

// The codes of AgentX itself.
const (
	NoError               Code = 0
	OpenFailed            Code = 256
	NotOpen               Code = 257
	IndexWrongType        Code = 258
	IndexAlreadyAllocated Code = 259
	IndexNoneAvailable    Code = 260
	IndexNotAllocated     Code = 261
	UnsupportedContext    Code = 262
	DuplicateRegistration Code = 263
	UnknownRegistration   Code = 264
	UnknownAgentCaps      Code = 265
	ParseError            Code = 266
	RequestDenied         Code = 267
	ProcessingError       Code = 268
)

var codeNames = [...]string{
	"openFailed", "notOpen", "indexWrongType", "indexAlreadyAllocated",
	"indexNoneAvailable", "indexNotAllocated", "unsupportedContext",
	"duplicateRegistration", "unknownRegistration", "unknownAgentCaps",
	"parseError", "requestDenied", "processingError",
}

// Error returns the code's name as the RFCs spell it.
func (c Code) Error() string {
	switch {
	case c < OpenFailed:
		return smi.Status(c).String()
	case c <= ProcessingError:
		return codeNames[c-OpenFailed]
	}
	return fmt.Sprintf("code(%d)", uint16(c))
}

// Header is what all PDUs begin with. The version is always 1, and the
// payload's length follows from the PDU.
type Header struct {
	Type          Type
	Flags         Flags
	SessionID     uint32
	TransactionID uint32
	PacketID      uint32
}

// PDU is a PDU of any type. The fields after the header belong to the types
// that their comments name; others are neither written nor set.
type PDU struct {
	Header
	Context []byte // with NonDefaultContext, for the types that have one

	Timeout uint8   // Open, Register: seconds, 0 for the default
	OID     smi.OID // Open: o.id; Register, Unregister: the subtree; AddAgentCaps, RemoveAgentCaps: a.id
	Descr   []byte  // Open, AddAgentCaps

	Reason Reason // Close

	Priority   uint8  // Register, Unregister
	RangeSubid uint8  // Register, Unregister: 0 for no range
	UpperBound uint32 // Register, Unregister: if RangeSubid is not 0

	NonRepeaters   uint16      // GetBulk
	MaxRepetitions uint16      // GetBulk
	Ranges         []smi.Range // Get, GetNext, GetBulk

	SysUpTime uint32 // Response: centiseconds, from a master only
	Error     Code   // Response
	Index     uint16 // Response: of the variable at fault, from 1

	Vars []smi.VarBind // TestSet, Notify, IndexAllocate, IndexDeallocate, Response
}
