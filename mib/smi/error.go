package smi

import (
	"errors"
	"fmt"
)

// Status is the error-status of a response PDU (RFC 3416 section 3).
type Status uint8

// The error statuses.
const (
	NoError             Status = 0
	TooBig              Status = 1
	NoSuchName          Status = 2 // SNMPv1 only
	BadValue            Status = 3 // SNMPv1 only
	ReadOnly            Status = 4 // SNMPv1 only
	GenErr              Status = 5
	NoAccess            Status = 6
	WrongType           Status = 7
	WrongLength         Status = 8
	WrongEncoding       Status = 9
	WrongValue          Status = 10
	NoCreation          Status = 11
	InconsistentValue   Status = 12
	ResourceUnavailable Status = 13
	CommitFailed        Status = 14
	UndoFailed          Status = 15
	AuthorizationError  Status = 16
	NotWritable         Status = 17
	InconsistentName    Status = 18
)

var statusNames = [...]string{
	NoError: "noError", TooBig: "tooBig", NoSuchName: "noSuchName", BadValue: "badValue",
	ReadOnly: "readOnly", GenErr: "genErr", NoAccess: "noAccess", WrongType: "wrongType",
	WrongLength: "wrongLength", WrongEncoding: "wrongEncoding", WrongValue: "wrongValue",
	NoCreation: "noCreation", InconsistentValue: "inconsistentValue",
	ResourceUnavailable: "resourceUnavailable", CommitFailed: "commitFailed",
	UndoFailed: "undoFailed", AuthorizationError: "authorizationError",
	NotWritable: "notWritable", InconsistentName: "inconsistentName",
}

// String returns the status's name as RFC 3416 spells it.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("status(%d)", uint8(s))
}

// Error is why a request was refused.
type Error struct {
	Status Status
	// Index is the place of the variable at fault in the request, from 1; 0
	// when there is none.
	Index int
}

// Error returns status and place, as in "wrongType at variable 3".
func (e *Error) Error() string {
	if e.Index == 0 {
		return e.Status.String()
	}
	return fmt.Sprintf("%v at variable %d", e.Status, e.Index)
}

// Refusal returns what a front end answers to a request that failed with err:
// the Error in it, or GenErr at no place if there is none.
func Refusal(err error) Error {
	if e := (*Error)(nil); errors.As(err, &e) && e != nil {
		return *e
	}
	return Error{Status: GenErr}
}

// moved returns err as that of a request with so many more variables at its
// beginning.
func moved(err error, variables int) error {
	e := Refusal(err)
	if e.Index > 0 {
		e.Index += variables
	}
	return &e
}
