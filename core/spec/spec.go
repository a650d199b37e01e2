package spec

// State is how much of a specification is implemented.
type State string

// The states.
const (
	Complete State = "complete"
	Partial  State = "partial"
)

// Spec is an extension of https://xmpp.org/extensions/ that is implemented.
type Spec struct {
	Number  string // such as "0030"
	Title   string
	Version string // of the specification
	State   State
	Note    string // where and how far; may be empty
}
