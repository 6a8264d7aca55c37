package client

import (
	"errors"
	"fmt"

	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// Sentinels, found with errors.Is.
var (
	// ErrNoAnswer: the meter did not answer, however often it was asked. An
	// agent is silent when the community is wrong.
	ErrNoAnswer = errors.New("no answer")
	// ErrNoObject: the meter does not have the object. A meter that is not
	// ours does not have those of RTFM-EXTENSION-MIB.
	ErrNoObject = errors.New("there is no such object")
	// ErrExists: a row that was to be created is there already.
	ErrExists = errors.New("the row is there already")
	// ErrNonsense: an answer makes no sense.
	ErrNonsense = errors.New("nonsense")
	// ErrAccess means that the agent denied access.
	ErrAccess = errors.New("access is denied")
	// ErrManyRules: the rulesets of a meter have more rules than MaxRules.
	ErrManyRules = fmt.Errorf("%w: its rulesets have more than %d rules together", ErrNonsense, MaxRules)
)

// Away reports whether an error may be what snmpd answers while the meter, its
// subagent, is away: that it has none of the objects. It may be a meter's own answer.
func Away(err error) bool {
	var refused *Error
	if errors.As(err, &refused) {
		switch refused.Status {
		case smi.NotWritable, smi.NoCreation, smi.GenErr:
			return true
		}
	}
	return errors.Is(err, ErrNoObject)
}

// Error is a request that a meter refused.
type Error struct {
	Object string // as module.FlowManagerCurrentRuleSet.3
	Status smi.Status
}

// Error returns object and status, as in
// `module.FlowManagerCurrentRuleSet.3: inconsistentValue`.
func (e *Error) Error() string {
	if e.Object == "" {
		return e.Status.String()
	}
	return fmt.Sprintf("%s: %v", e.Object, e.Status)
}

// Is makes errors.Is find ErrAccess.
func (e *Error) Is(target error) bool {
	return target == ErrAccess && (e.Status == smi.NoAccess || e.Status == smi.AuthorizationError)
}

// nonsense is an ErrNonsense about an object.
func nonsense(name smi.OID, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrNonsense, module.InstanceName(name), fmt.Sprintf(format, args...))
}
