package spec

// State says how much of a specification is implemented.
type State string

// The states.
const (
	Complete State = "complete"
	Partial  State = "partial"
)

// Spec is an implemented extension of https://xmpp.org/extensions/.
type Spec struct {
	Number  string // such as "0030"
	Title   string
	Version string // of the specification
	State   State
	Note    string // where it is implemented, and with which limits; may be empty
}
