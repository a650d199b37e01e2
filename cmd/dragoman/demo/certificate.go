package demo

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// certificate is the certificate that the server made for itself.
func (s *localServer) certificate() (*x509.Certificate, error) {
	text, err := os.ReadFile(filepath.Join(s.config.Server.Data, "self-signed.pem"))
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
