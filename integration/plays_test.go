package integration_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/play"
)

// playHost is the domain that every play is played on.
const playHost = "play.example"

// readPlays parses all files of scenarios.
func readPlays(t *testing.T) []*play.Play {
	t.Helper()
	files, err := filepath.Glob("scenarios/*.play")
	if err != nil || len(files) == 0 {
		t.Fatalf("no plays: %v", err)
	}
	var plays []*play.Play
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := play.Parse(strings.TrimSuffix(filepath.Base(file), ".play"), string(text))
		if err != nil {
			t.Fatal(err)
		}
		plays = append(plays, p)
	}
	return plays
}

// setupFor is the server that a play needs.
func setupFor(p *play.Play) peers.Setup {
	setup := peers.Setup{Host: playHost}
	seen := map[string]bool{}
	for _, role := range p.Roles {
		switch {
		case role.Component && seen[role.JID]: // another secret of the same component
		case role.Component:
			seen[role.JID] = true
			setup.Components = append(setup.Components, peers.Component{
				Domain: strings.ReplaceAll(role.JID, "{host}", playHost), Secret: role.Secret, Privileged: role.Privileged,
			})
		case !seen[role.Account()]:
			seen[role.Account()] = true
			setup.Accounts = append(setup.Accounts, peers.Account{User: role.Account(), Password: role.Secret})
		}
	}
	return setup
}

// stageOn lets a play's clients connect to a server.
func stageOn(server *peers.Server, restart func()) play.Stage {
	return play.Stage{
		Host: server.Host,
		Connect: func(ctx context.Context, role play.Role) (play.Actor, error) {
			if role.Component {
				return client.Attach(ctx, server.ComponentAddr, role.JID, role.Secret)
			}
			return server.Dial(ctx, peers.Account{User: role.Account(), Password: role.Secret}, role.Resource())
		},
		Condense: condense,
		Restart: func(context.Context) error {
			restart()
			return nil
		},
	}
}

// condense finds the condition in what a client returned.
func condense(err error) string {
	var refused *client.Refused
	var stream *client.StreamError
	switch {
	case errors.As(err, &refused):
		return refused.Condition
	case errors.As(err, &stream):
		return stream.Condition
	}
	return ""
}

// perform plays p against a server.
func perform(t *testing.T, p *play.Play, server *peers.Server, restart func()) {
	t.Helper()
	stage := stageOn(server, restart)
	stage.Log = t.Logf
	if err := play.Run(t.Context(), p, stage); err != nil {
		t.Fatal(err)
	}
}

// TestPlaysOnProsody shows that the plays are right: another server plays them too.
func TestPlaysOnProsody(t *testing.T) {
	t.Parallel()
	peers.Need(t, "prosody")
	for _, p := range readPlays(t) {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			if p.Only != "" && p.Only != "prosody" {
				t.Skipf("only for %s: %s", p.Only, p.Because)
			}
			server := peers.StartProsody(t, setupFor(p))
			perform(t, p, &server.Server, server.Restart)
		})
	}
}

// TestPlays plays everything against the dragoman binary.
func TestPlays(t *testing.T) {
	t.Parallel()
	for _, p := range readPlays(t) {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			if p.Only != "" && p.Only != "dragoman" {
				t.Skipf("only for %s: %s", p.Only, p.Because)
			}
			server := peers.StartDragoman(t, peers.Options{Setup: setupFor(p)})
			perform(t, p, &server.Server, server.Restart)
		})
	}
}
