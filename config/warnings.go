package config

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const day = "2 January 2006"

// expiresSoon is how long before its end a certificate is worth a warning.
const expiresSoon = 7 * 24 * time.Hour

// Warnings returns what is wrong around a valid configuration at the time now: certificates that clients will
// refuse, and a data directory that cannot be written. Each has the path of its setting.
func Warnings(c Config, now time.Time) Problems {
	var p Problems
	c.warnOfCertificate(&p, now)
	c.warnOfRevocationLists(&p, now)
	if err := writable(c.Server.Data); err != nil {
		p.add("server.data", "%s cannot be written by this user: %v", c.Server.Data, err)
	}
	return p
}

func (c *Config) warnOfCertificate(p *Problems, now time.Time) {
	if c.TLS.Certificate == "" {
		return
	}
	pair, err := tls.LoadX509KeyPair(c.TLS.Certificate, c.TLS.Key)
	if err != nil || pair.Leaf == nil {
		return // validate has reported it
	}
	switch leaf := pair.Leaf; {
	case now.After(leaf.NotAfter):
		p.add("tls.certificate", "%s has expired on %s", c.TLS.Certificate, leaf.NotAfter.Format(day))
	case now.Before(leaf.NotBefore):
		p.add("tls.certificate", "%s is not valid before %s", c.TLS.Certificate, leaf.NotBefore.Format(day))
	case now.Add(expiresSoon).After(leaf.NotAfter):
		p.add("tls.certificate", "%s expires on %s", c.TLS.Certificate, leaf.NotAfter.Format(day))
	}
	for _, host := range c.Server.Hosts {
		if err := pair.Leaf.VerifyHostname(host); err != nil {
			p.add("tls.certificate", "%s is not for %s, but for %s", c.TLS.Certificate, host, certificateNames(pair.Leaf))
		}
	}
}

func (c *Config) warnOfRevocationLists(p *Problems, now time.Time) {
	for path, files := range map[string][]string{"tls.client_crl": c.TLS.ClientCRL, "federation.crl": c.Federation.CRL} {
		for _, file := range files {
			warnOfRevocationList(p, path, file, now)
		}
	}
}

func warnOfRevocationList(p *Problems, path, file string, now time.Time) {
	der, err := os.ReadFile(file)
	if err != nil {
		return // validate has reported it
	}
	lists := [][]byte{der}
	if block, rest := pem.Decode(der); block != nil {
		for lists = nil; block != nil; block, rest = pem.Decode(rest) {
			lists = append(lists, block.Bytes)
		}
	}
	for _, l := range lists {
		if list, err := x509.ParseRevocationList(l); err == nil && !now.Before(list.NextUpdate) {
			p.add(path, "%s has a list that is out of date since %s", file, list.NextUpdate.Format(day))
		}
	}
}

func certificateNames(c *x509.Certificate) string {
	names := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		if a, ok := netip.AddrFromSlice(ip); ok {
			names = append(names, a.Unmap().String())
		}
	}
	if len(names) == 0 {
		return "no domain"
	}
	return strings.Join(names, ", ")
}

// writable creates and removes a file in a directory, or in the directory in which it would be created.
func writable(dir string) error {
	info, err := os.Stat(dir)
	for errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
		info, err = os.Stat(dir)
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	f, err := os.CreateTemp(dir, ".dragoman-check-*")
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			return fmt.Errorf("%s: %w", dir, path.Err)
		}
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
