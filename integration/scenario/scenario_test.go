package scenario_test

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/scenario"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// memoryServer is a server in memory: it passes each stanza to the connection that its "to" names,
// with "from" set, and answers pings.
type memoryServer struct {
	mu          sync.Mutex
	connections map[string]*memoryConn
	locked      map[string]string // account → condition with which its login is refused
}

type memoryConn struct {
	jid    string
	server *memoryServer
	queue  chan *xmltree.Element
	once   sync.Once
	gone   chan struct{}
}

var errConflict = errors.New("conflict")

func (v *memoryServer) connect(_ context.Context, participant scenario.Participant) (scenario.Connection, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if condition := v.locked[participant.Account()]; condition != "" {
		return nil, errors.New(condition)
	}
	jid := participant.JID
	if participant.Resource() == "" {
		jid += "/r"
	}
	a := &memoryConn{jid: jid, server: v, queue: make(chan *xmltree.Element, 64), gone: make(chan struct{})}
	v.connections[jid] = a
	return a, nil
}

func (a *memoryConn) JID() string  { return a.jid }
func (a *memoryConn) Close() error { a.Lose(); return nil }
func (a *memoryConn) Lose()        { a.once.Do(func() { close(a.gone) }) }

func (a *memoryConn) Send(text string) error {
	row, err := xmltree.ParseFragment(text)
	if err != nil {
		return err
	}
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	for _, e := range row {
		if e.Child("urn:xmpp:ping", "ping") != nil {
			a.queue <- &xmltree.Element{Name: e.Name, Attrs: map[xml.Name]string{{Local: "id"}: e.Attr("id"), {Local: "type"}: "result"}}
			continue
		}
		e.Attrs[xml.Name{Local: "from"}] = a.jid
		to := a.server.connections[e.Attr("to")]
		switch {
		case to == nil:
		case e.Name.Local == "kick":
			to.Lose()
		default:
			to.queue <- e
		}
	}
	return nil
}

func (a *memoryConn) Next(ctx context.Context) (*xmltree.Element, error) {
	select {
	case e := <-a.queue:
		return e, nil
	case <-a.gone:
		return nil, errConflict
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// memoryNetwork is a network that records its actions, and shows them.
type memoryNetwork struct{ shown []string }

func (b *memoryNetwork) Do(_ context.Context, what string) error {
	if text, ok := strings.CutPrefix(what, "shows "); ok {
		for _, s := range b.shown {
			if s == text {
				return nil
			}
		}
		b.shown = append(b.shown, text) // so that the next check succeeds
		return fmt.Errorf("%q is not shown", text)
	}
	b.shown = append(b.shown, what)
	return nil
}

const head = `# A scenario for the runner's own test

[Client] alice
	jid: alice@{host}/a
	password: one

[Client] bob
	jid: bob@{host}
	password: two

-----

alice and bob connect

`

// runAll runs the steps of a scenario with a new memoryServer.
func runAll(t *testing.T, steps string) error {
	t.Helper()
	p, err := scenario.Parse("test", head+steps)
	if err != nil {
		t.Fatal(err)
	}
	v := &memoryServer{connections: map[string]*memoryConn{}, locked: map[string]string{}}
	return scenario.Run(t.Context(), p, scenario.Target{
		Host:      "h.example",
		Connect:   v.connect,
		Condition: func(err error) string { return err.Error() },
		Networks:  map[string]scenario.Network{"board": &memoryNetwork{}},
		Restart: func(context.Context) error {
			v.locked["alice"] = "not-authorized"
			return nil
		},
		Timeout: 100 * time.Millisecond,
	})
}

func TestScenariosThatSucceed(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"message": `
alice sends:
	<message to="{bob}" id="x"><body>Hi {bob.resource}</body></message>

bob receives:
	<message id="{id}" from="{alice}"><body>Hi r</body></message>

bob sends:
	<message to="{alice}" id="{id}"/>

alice receives:
	<message id="x" from="bob@{host}/r"/>

alice and bob receive nothing
`,
		"any order": `
alice sends:
	<message to="{bob}" id="1"/>
	<message to="{bob}" id="2"/>

bob receives, in any order:
	<message from="{alice}" id="2"/>
	<message from="{alice}" id="1"/>
`,
		"eventually": `
alice sends:
	<message to="{bob}" id="1"/>
	<message to="{bob}" id="2"/>

bob eventually receives:
	<message from="{alice}" id="2"/>

bob receives nothing
`,
		"skip": `
alice sends:
	<message to="{bob}" id="1"/>

bob skips the rest

bob receives nothing
`,
		"disconnected": `
alice sends:
	<kick to="{bob}"/>

bob is disconnected: conflict

bob connects

alice loses the connection

alice connects

bob disconnects
`,
		"network": `
network board: hello

network board: shows hello

network board eventually: shows more
`,
		"restart": `
the server is killed and restarts

alice cannot connect: not-authorized

bob connects
`,
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := runAll(t, steps); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestScenariosThatFail(t *testing.T) {
	t.Parallel()
	const hello = `
alice sends:
	<message to="{bob}" id="1"><body>Hi</body></message>

`
	tests := map[string]struct{ steps, fault string }{
		"wrong text": {hello + `
bob receives:
	<message from="{alice}" id="1"><body>Ho</body></message>
`, `text is "Hi", want "Ho"`},
		"missing child": {hello + `
bob receives:
	<message from="{alice}" id="1"><body>Hi</body><thread/></message>
`, "is missing"},
		"extra child": {hello + `
bob receives:
	<message from="{alice}" id="1"/>
`, "not expected"},
		"wrong sender": {hello + `
bob receives:
	<message id="1"><body>Hi</body></message>
`, "from"},
		"nothing comes": {`
bob receives:
	<message from="{alice}" id="1"/>
`, "no stanza arrived"},
		"nothing comes eventually": {`
bob eventually receives:
	<message from="{alice}" id="1"/>
`, "no stanza arrived"},
		"something comes": {hello + `
bob receives nothing
`, "bob received"},
		"one of two": {hello + `
bob receives, in any order:
	<message from="{alice}" id="1"><body>Hi</body></message>
	<message from="{alice}" id="2"/>
`, "after 1 of 2"},
		"other order": {hello + hello + `
bob receives, in any order:
	<message from="{alice}" id="1"><body>Hi</body></message>
	<message from="{alice}" id="2"/>
`, "no match"},
		"still connected":      {"bob is disconnected\n", "still connected"},
		"other condition":      {"alice sends:\n\t<kick to=\"{bob}\"/>\n\nbob is disconnected: reset\n", `want "reset"`},
		"connects after all":   {"bob disconnects\n\nbob cannot connect: conflict\n", "was able to connect"},
		"connects twice":       {"bob connects\n", "connected already"},
		"not connected":        {"bob disconnects\n\nbob receives nothing\n", "not connected"},
		"network shows not":    {"network board: shows it\n", "not shown"},
		"unknown network":      {"network other: do\n", "no network other"},
		"name without a value": {"alice sends:\n\t<message to=\"{carol}\"/>\n", "no value"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := runAll(t, test.steps)
			var failure *scenario.Failure
			if !errors.As(err, &failure) {
				t.Fatalf("error is %v, want a failure", err)
			}
			if !strings.Contains(err.Error(), test.fault) || !strings.Contains(err.Error(), "test.scenario:") {
				t.Fatalf("failure says\n%v\nwant %q", err, test.fault)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"no title":        "[Client] alice\n\tjid: a@{host}\n\tpassword: p\n\n-----\n\nalice connects\n",
		"no steps":        "# T\n\n[Client] alice\n\tjid: a@{host}\n\tpassword: p\n\n-----\n",
		"no password":     "# T\n\n[Client] alice\n\tjid: a@{host}\n\n-----\n\nalice connects\n",
		"other host":      "# T\n\n[Client] alice\n\tjid: a@b.example\n\tpassword: p\n\n-----\n\nalice connects\n",
		"twice":           "# T\n\n[Client] alice\n\n[Client] alice\n",
		"setting":         "# T\n\n[Client] alice\n\tcolour: red\n",
		"only, no reason": "# T\n\n[Server]\n\tonly: dragoman\n\n[Client] alice\n\tjid: a@{host}\n\tpassword: p\n\n-----\n\nalice connects\n",
		"nobody":          head + "carol connects\n",
		"no such step":    head + "alice dances\n",
		"no block":        head + "alice sends:\n\nbob receives nothing\n",
		"broken XML":      head + "bob receives:\n\t<message>\n",
		"broken XML sent": head + "alice sends:\n\t<message>\n",
		"no XML":          head + "bob receives:\n\thello\n",
		"loose block":     head + "alice connects\n\t<message/>\n",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := scenario.Parse("test", text); err == nil {
				t.Fatal("was parsed")
			}
		})
	}
}
