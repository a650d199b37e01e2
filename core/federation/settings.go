package federation

import (
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/identity/revoked"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/s2s"
	"github.com/dragoman-im/dragoman/core/s2s/locate"
	"github.com/dragoman-im/dragoman/core/s2s/outbox"
	"github.com/dragoman-im/dragoman/core/stream"
)

func roots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("federation.roots: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("federation.roots: %s has no certificate in PEM form", file)
	}
	return pool, nil
}

// revocations returns what knows the certificates of other servers that were revoked; nil if the configuration names no lists.
func revocations(files []string, log *slog.Logger) (func([]*x509.Certificate) error, error) {
	if len(files) == 0 {
		return nil, nil
	}
	lists, err := revoked.New(revoked.Options{Files: files, Open: true, Log: log})
	if err != nil {
		return nil, fmt.Errorf("federation.crl: %w", err)
	}
	return lists.Check, nil
}

func limits(c config.Config) s2s.Limits {
	f, l := c.Federation, c.Limits
	return s2s.Limits{
		BeforeLogin: stream.Limits{Bytes: int(l.LoginBytes), Elements: l.LoginElements, Depth: l.LoginDepth, Attrs: l.LoginAttributes},
		Stanza:      stream.Limits{Bytes: int(f.StanzaBytes), Elements: f.StanzaElements, Depth: l.StanzaDepth, Attrs: l.StanzaAttributes},
		Connections: unlimited(l.Connections), Arrivals: unlimited(l.NewConnections), Pending: unlimited(l.PendingConnections),
		Rate: unlimited(int(f.Rate)), Burst: int(f.Burst), Queue: int(f.Queue), Queues: unlimited64(int64(f.Queues)),
		Times: s2s.Times{Wait: time.Duration(f.Wait), Idle: time.Duration(f.Idle), Element: time.Duration(f.StanzaTime), Resume: resume(f.Resume)},
		Bidi:  map[string]s2s.Bidi{"accept": s2s.BidiAccepted, "ask": s2s.BidiWanted, "no": s2s.BidiRefused}[f.Bidirectional],
		WaitLimits: s2s.WaitLimits{Stanzas: f.WaitingStanzas, Bytes: int(f.WaitingBytes), Attempts: unlimited(f.Attempts), Outbox: outbox.Limits{
			Off: !f.Durable, Stanzas: unlimited(f.OutboxStanzas), Bytes: unlimited(int(f.OutboxBytes)), Total: unlimited64(int64(f.OutboxTotal)),
		}},
	}
}

// discovery returns how servers are found.
func discovery(c config.Config, o s2s.Config) (locate.Options, error) {
	f := c.Federation
	resolvers, err := f.ResolverAddresses()
	if err != nil {
		return locate.Options{}, fmt.Errorf("federation.resolvers: %w", err)
	}
	networks, err := f.NetworkPrefixes()
	if err != nil {
		return locate.Options{}, fmt.Errorf("federation.networks: %w", err)
	}
	return locate.Options{
		Resolvers: resolvers, DNSSEC: f.DNSSEC, DANE: f.DANE, HTTPS: f.Documents, Networks: networks, Roots: o.Roots, Log: o.Log,
	}, nil
}

// setFixed sets the addresses that the configuration names.
func setFixed(fixed *Fixed, c config.Config) error {
	table := map[string]FixedAddress{}
	for _, row := range c.Remotes {
		if row.Address == "" {
			continue
		}
		d, err := jid.Parse(row.Domain)
		if err != nil {
			return fmt.Errorf("federation_domain: %w", err)
		}
		table[d.String()] = FixedAddress{Address: row.Address, DirectTLS: row.DirectTLS}
	}
	fixed.Set(table)
	return nil
}

// resume converts 0, which means "not at all" in the settings, to what means that in package s2s.
func resume(d config.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return time.Duration(d)
}

// unlimited64 is unlimited for larger numbers.
func unlimited64(n int64) int64 {
	if n == 0 {
		return -1
	}
	return n
}

// unlimited converts 0, which means "no limit" in the settings, to -1, which means that in package s2s.
func unlimited(n int) int {
	if n == 0 {
		return -1
	}
	return n
}
