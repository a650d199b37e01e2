package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// dragoman is what was built of this tree. Its room is one of the echo gateway, with an
// account there for everybody who is in it: what is said goes to the network and comes back
// to all of these accounts too.
var dragoman = &kind{
	name: "dragoman", title: "Dragoman", configure: configureDragoman, populate: importAccounts,
	mechanisms: []string{"SCRAM-SHA-256", "HT-SHA-256-NONE"}, webSocket: true, indexes: true, imports: true, fill: importArchive,
	room: []string{"--room", "lobby@echo.DOMAIN", "--link", "guest"}, native: nativeRoom,
}

// nativeRoom are arguments of 'xmppbench room' for a room that the server itself has.
var nativeRoom = []string{"--room", "bench@conference.DOMAIN", "--create"}

// before is another dragoman binary, which -before names.
var before = &kind{
	name: "before", title: "Dragoman before", configure: func(b *bench, s *server) error {
		if b.before == "" {
			return errors.New("-before names no binary")
		}
		return b.configureDragomanBinary(s, b.before, "")
	},
	populate: importAccounts, mechanisms: dragoman.mechanisms, indexes: true, imports: true, fill: importArchive, room: dragoman.room, native: nativeRoom,
}

func configureDragoman(b *bench, s *server) error {
	return b.configureDragomanBinary(s, b.dragoman, "")
}

// configureDragomanBinary writes the configuration of a dragoman binary; sections are added to it.
func (b *bench) configureDragomanBinary(s *server, binary, sections string) error {
	s.binary = binary
	settings, err := exec.Command(binary, "config", "doc").Output()
	if err != nil {
		return fmt.Errorf("settings of %s: %w", binary, err)
	}
	web := ""
	if strings.Contains(string(settings), "http_tls") {
		web = fmt.Sprintf("http = [%q]\nhttp_tls = []", s.webAddr())
	}
	rooms := "" // no limit of messages
	if strings.Contains(string(settings), "[rooms]") {
		rooms = "[rooms]\nmessages = 0"
	}
	if strings.Contains(string(settings), "[federation]") {
		rooms += fmt.Sprintf("\n\n[federation]\nenabled = \"yes\"\nresolvers = [%q]\nnetworks = [\"127.0.0.0/8\"]\ndocuments = false\nrate = \"0 B\"", b.dns.Addr)
		web += fmt.Sprintf("\ns2s = [%q]\ns2s_tls = []", s.linkAddr())
	}
	newer := "" // settings that releases before them do not know
	if strings.Contains(string(settings), "stranger_messages") {
		newer += "stranger_messages = 0\n"
	}
	if strings.Contains(string(settings), "pending_connections") {
		newer += "pending_connections = 0\n"
	}
	config, err := s.write("dragoman.toml", sections+fmt.Sprintf(`
[server]
hosts = [%q]
data = "data"

[listen]
c2s = [%q]
c2s_tls = []
component = []
%s

[tls]
certificate = %q
key = %q
required = false

[login]
iterations = 10000

[limits]
connections = 0
new_connections = 0
%s
recipients = 0
rate = "0 B"
sessions = 100

[log]
level = "warn"

[gateway]
stanzas = 0

[echo]
enabled = true
guests = 20

%s
`, domain, s.addr(), web, s.cert.CertFile, s.cert.KeyFile, newer, rooms))
	if err != nil {
		return err
	}
	s.command = func() *exec.Cmd {
		cmd := exec.Command(binary, "serve", "-c", config)
		cmd.Dir = s.dir
		return cmd
	}
	out, err := exec.Command(binary, "version").Output()
	s.version = strings.TrimPrefix(firstLine(out), "dragoman ")
	return err
}

func firstLine(text []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return line
}

func importAccounts(ctx context.Context, _ *bench, s *server, user string, n int) error {
	var list strings.Builder
	for i := range n {
		fmt.Fprintf(&list, "%s%d %s\n", user, i, password)
	}
	cmd := exec.CommandContext(ctx, s.binary, "account", "import", "-c", "dragoman.toml")
	cmd.Dir, cmd.Stdin = s.dir, strings.NewReader(list.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("import accounts: %w\n%s", err, out)
	}
	return nil
}
