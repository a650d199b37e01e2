package scenario

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// Scenario is a parsed file.
type Scenario struct {
	Name         string // of the file, without its extension
	Title        string // first comment
	Only         string // the only server that it runs against; empty: any
	Because      string // the reason for Only
	Admin        string // localpart of an account that is an administrator
	Groups       []Group
	Settings     []string // further lines of dragoman's configuration: whole sections
	Participants []Participant
	Steps        []Step
}

// Group is a shared group of the server: its members' localparts.
type Group struct {
	Name    string
	Members []string
}

// Participant is a client or component of a scenario.
type Participant struct {
	Name      string
	Component bool
	JID       string // user@domain, user@domain/resource, or the domain of a component or of an anonymous client; may hold {host}
	Secret    string // password or component secret

	Anonymous  bool   // a client without an account
	Keys       string // mechanism of SCRAM for which the server has keys of the password; empty: for all
	Privileged bool   // XEP-0356 is granted to the component
	Grants     string // further settings of the component, for dragoman
	Session    string // the id of a session that it resumes instead of binding one; empty: none
	Received   uint32 // stanzas of that session that it has got
}

// Account is the localpart of a client's JID; empty: its login is anonymous.
func (p Participant) Account() string {
	user, _, found := strings.Cut(p.JID, "@")
	if !found {
		return ""
	}
	return user
}

// Resource is the resource that the client requests, or "".
func (p Participant) Resource() string {
	_, resource, _ := strings.Cut(p.JID, "/")
	return resource
}

// Step is one line of the scenario with its block.
type Step struct {
	Line   int
	Text   string
	action action
}

// Connection is a connected client or component.
type Connection interface {
	JID() string
	Send(text string) error
	Next(ctx context.Context) (*xmltree.Element, error)
	Close() error
	// Lose closes the connection without closing the stream, and waits until the server has noticed it.
	Lose()
}

// Negotiator is a Connection on which the client has not logged in.
type Negotiator interface {
	JID() string
	Authenticate(ctx context.Context, mechanism, secret, children string) error
	Upgrade(ctx context.Context, task, password string) error
}

// Network is the fake server of a network that a scenario may use.
type Network interface {
	// Do carries out the action of a step, or checks the state that it names.
	Do(ctx context.Context, what string) error
}

// Target is what a scenario is run against. Connect is required.
type Target struct {
	Host      string
	Connect   func(ctx context.Context, participant Participant) (Connection, error)
	Open      func(ctx context.Context, participant Participant) (Connection, error) // connects, and leaves the login to the scenario
	Condition func(error) string                                                     // the condition in a refused login or ended stream
	Networks  map[string]Network                                                     // by the names that 'network' steps use
	Restart   func(ctx context.Context) error                                        // kills the server and starts it again
	Vars      map[string]string                                                      // further names
	Timeout   time.Duration                                                          // how long a 'receives' step waits; 0 is 10 s
	Log       func(format string, args ...any)
}

// Failure says which step of a scenario failed.
type Failure struct {
	Scenario string
	Step     Step
	Err      error
}

func (f *Failure) Error() string {
	return fmt.Sprintf("%s.scenario:%d: %s\n%v", f.Scenario, f.Step.Line, f.Step.Text, f.Err)
}

func (f *Failure) Unwrap() error { return f.Err }
