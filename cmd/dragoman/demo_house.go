package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/server"
	"github.com/dragoman-im/dragoman/transports/gateways"
)

const demoHost = "localhost"

// Where clients look first.
const (
	usualC2S    = "127.0.0.1:5222"
	usualC2STLS = "127.0.0.1:5223"
)

// demoHouse is the server of the demo with its directory and its one account.
type demoHouse struct {
	options   demoOptions
	config    config.Config
	temporary bool
	moved     bool // the usual ports are taken
	password  string
	server    *server.Server
}

// newDemoHouse finds the ports and makes the directory.
func newDemoHouse(o demoOptions) (*demoHouse, error) {
	h := &demoHouse{options: o}
	var err error
	if h.config, err = config.Parse(nil, "", nil); err != nil {
		return nil, err
	}
	c := &h.config
	c.Server.Hosts = []string{demoHost}
	c.Listen.Component = nil
	c2s, err := h.address("--listen", o.listen, usualC2S)
	if err != nil {
		return nil, err
	}
	c2sTLS, err := h.address("--listen-tls", o.listenTLS, usualC2STLS)
	if err != nil {
		return nil, err
	}
	c.Listen.C2S, c.Listen.C2STLS = []string{c2s}, []string{c2sTLS}
	if c2s == c2sTLS {
		return nil, fmt.Errorf("--listen and --listen-tls are both %s: give them different ports", c2s)
	}
	if c.Server.Data = o.data; o.data == "" {
		h.temporary = true
		if c.Server.Data, err = os.MkdirTemp("", "dragoman-demo-"); err != nil {
			return nil, fmt.Errorf("make a temporary directory: %w; --data names another one", err)
		}
	}
	return h, nil
}

// address is what a flag says, else the usual one, else one that is free.
func (h *demoHouse) address(flag, given, usual string) (string, error) {
	if given != "" {
		return demoAddress(flag, given)
	}
	if address, err := demoAddress(flag, usual); err == nil {
		return address, nil
	}
	h.moved = true
	return demoAddress(flag, "127.0.0.1:0")
}

// demoAddress sees that an address can be listened on, and chooses the port where that is 0.
func demoAddress(flag, address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("%s: %q is not an address such as 127.0.0.1:5222", flag, address)
	}
	l, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "", fmt.Errorf("port %s is taken, perhaps by another XMPP server: choose a free one, such as %s %s", port, flag, net.JoinHostPort(host, "15222"))
	case errors.Is(err, syscall.EACCES):
		return "", fmt.Errorf("port %s needs a right that this user lacks: choose one above 1023, such as %s %s", port, flag, net.JoinHostPort(host, "15222"))
	case err != nil:
		return "", fmt.Errorf("%s: %w", flag, err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// open makes the account and the server, with the gateways pointed at the stand-ins.
func (h *demoHouse) open(ctx context.Context, towns []town, t *tracer, out *screen) error {
	c := &h.config
	for _, town := range towns {
		switch town.kind() {
		case "slack":
			c.Slack.Enabled, c.Slack.APIURL, c.Slack.Presence = true, town.apiURL(), config.Duration(10*time.Second)
		case "discord":
			c.Discord.Enabled, c.Discord.APIURL = true, town.apiURL()
		}
	}
	if err := h.account(ctx); err != nil {
		return err
	}
	var err error
	if h.server, err = gateways.Server(ctx, *c, gateways.Options{Log: out.logger(), Trace: t.step}); err == nil {
		out.running()
	}
	return err
}

// account makes the account, or takes the one that an earlier demo made in this directory.
func (h *demoHouse) account(ctx context.Context) (err error) {
	accounts, err := server.OpenAccounts(ctx, h.config)
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	defer func() { err = errors.Join(err, accounts.Close()) }()
	all, err := accounts.List(ctx)
	if err != nil {
		return err
	}
	name := h.options.user + "@" + demoHost
	known := false
	for _, a := range all {
		known = known || a.JID.String() == name
	}
	file := filepath.Join(h.config.Server.Data, h.options.user+".password")
	kept, err := os.ReadFile(file)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("--data: %w", err)
	case known && err == nil:
		h.password = strings.TrimSpace(string(kept))
		return nil
	case known:
		return fmt.Errorf("%s has an account %s that no demo has made: choose another name with --user, or another directory with --data", h.options.data, name)
	}
	h.password = newPassword()
	if _, err := accounts.Add(ctx, name, h.password); err != nil {
		return fmt.Errorf("--user: %w", err)
	}
	return os.WriteFile(file, []byte(h.password+"\n"), 0o600)
}

// newPassword is random and easy to type: three groups of four letters, 56 bits.
func newPassword() string {
	const letters = "abcdefghijkmnopqrstuvwxyz"
	b := make([]byte, 0, 14)
	for n := 0; n < 12; {
		var r [1]byte
		_, _ = rand.Read(r[:]) // never fails
		if int(r[0]) >= 256/len(letters)*len(letters) {
			continue // else some letters would come more often
		}
		if n == 4 || n == 8 {
			b = append(b, '-')
		}
		b = append(b, letters[int(r[0])%len(letters)])
		n++
	}
	return string(b)
}

// certificate is the certificate that the server made for itself.
func (h *demoHouse) certificate() (*x509.Certificate, error) {
	text, err := os.ReadFile(filepath.Join(h.config.Server.Data, "self-signed.pem"))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("self-signed.pem holds no certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}

// fingerprint is the certificate's SHA-256 hash as clients show it.
func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}

// reachable is the address for a client on this machine.
func reachable(listen string) (host, port string) {
	host, port, _ = net.SplitHostPort(listen) // it was listened on already
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return host, port
}

// clean removes what was made for this run alone.
func (h *demoHouse) clean() error {
	if !h.temporary {
		return nil
	}
	if err := os.RemoveAll(h.config.Server.Data); err != nil {
		return fmt.Errorf("remove the temporary directory: %w", err)
	}
	return nil
}
