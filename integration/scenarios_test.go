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
	"github.com/dragoman-im/dragoman/integration/scenario"
)

// testHost is the domain of the servers.
const testHost = "test.example"

// readScenarios parses all files of scenarios.
func readScenarios(t *testing.T) []*scenario.Scenario {
	t.Helper()
	files, err := filepath.Glob("scenarios/*.scenario")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	var all []*scenario.Scenario
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := scenario.Parse(strings.TrimSuffix(filepath.Base(file), ".scenario"), string(text))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// setupOf is the server that a scenario needs.
func setupOf(p *scenario.Scenario) peers.Setup {
	setup := peers.Setup{Host: testHost, Admin: p.Admin, Conference: true}
	for _, g := range p.Groups {
		setup.Groups = append(setup.Groups, peers.Group(g))
	}
	seen := map[string]bool{}
	for _, participant := range p.Participants {
		switch {
		case participant.Anonymous:
			setup.Anonymous = true
		case participant.Component && seen[participant.JID]: // another secret of the same component
		case participant.Component:
			seen[participant.JID] = true
			setup.Components = append(setup.Components, peers.Component{
				Domain: strings.ReplaceAll(participant.JID, "{host}", testHost), Secret: participant.Secret, Privileged: participant.Privileged, Settings: participant.Grants,
			})
		case !seen[participant.Account()]:
			seen[participant.Account()] = true
			setup.Accounts = append(setup.Accounts, peers.Account{User: participant.Account(), Password: participant.Secret, Only: participant.Keys})
		}
	}
	return setup
}

// targetFor lets a scenario's clients connect to a server.
func targetFor(server *peers.Server, restart func()) scenario.Target {
	return scenario.Target{
		Host: server.Host,
		Connect: func(ctx context.Context, participant scenario.Participant) (scenario.Connection, error) {
			if participant.Anonymous {
				return server.Anonymous(ctx)
			}
			if participant.Component {
				return client.Attach(ctx, server.ComponentAddr, participant.JID, participant.Secret)
			}
			account := peers.Account{User: participant.Account(), Password: participant.Secret}
			if participant.Session != "" {
				return server.Resume(ctx, account, client.Resume{ID: participant.Session, H: participant.Received})
			}
			return server.Dial(ctx, account, participant.Resource())
		},
		Open: func(ctx context.Context, participant scenario.Participant) (scenario.Connection, error) {
			if participant.Anonymous {
				return server.OpenAnonymous(ctx)
			}
			return server.Open(ctx, peers.Account{User: participant.Account()})
		},
		Condition: conditionOf,
		Restart: func(context.Context) error {
			restart()
			return nil
		},
	}
}

// conditionOf finds the condition in what a client returned.
func conditionOf(err error) string {
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

// runScenario runs a scenario against a server.
func runScenario(t *testing.T, p *scenario.Scenario, server *peers.Server, restart func()) {
	t.Helper()
	target := targetFor(server, restart)
	target.Log = t.Logf
	if err := scenario.Run(t.Context(), p, target); err != nil {
		t.Fatal(err)
	}
}

// TestScenariosOnProsody checks the scenarios themselves: they pass against another server too.
func TestScenariosOnProsody(t *testing.T) {
	t.Parallel()
	peers.Need(t, "prosody")
	for _, p := range readScenarios(t) {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			if p.Only != "" && p.Only != "prosody" {
				t.Skipf("only for %s: %s", p.Only, p.Because)
			}
			server := peers.StartProsody(t, setupOf(p))
			runScenario(t, p, &server.Server, server.Restart)
		})
	}
}

// TestScenarios runs all scenarios against the dragoman binary.
func TestScenarios(t *testing.T) {
	t.Parallel()
	for _, p := range readScenarios(t) {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			if p.Only != "" && p.Only != "dragoman" {
				t.Skipf("only for %s: %s", p.Only, p.Because)
			}
			server := peers.StartDragoman(t, peers.Options{Setup: setupOf(p), Settings: strings.ReplaceAll(strings.Join(p.Settings, "\n"), "{host}", testHost)})
			runScenario(t, p, &server.Server, server.Restart)
		})
	}
}
