package claims

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

const minRSA = 2048 // bits; RFC 7518 §3.3

// Keys are public keys.
type Keys []jose.JSONWebKey

// ParseKeys reads public keys in PEM form, or as a JWK set (RFC 7517 §5).
func ParseKeys(text []byte) (Keys, error) {
	var keys Keys
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		key, err := parsePEM(block)
		if err != nil {
			return nil, err
		}
		keys = append(keys, jose.JSONWebKey{Key: key})
	}
	if len(keys) == 0 {
		var set jose.JSONWebKeySet
		if err := json.Unmarshal(text, &set); err != nil {
			return nil, errors.New("neither keys in PEM form nor a JWK set")
		}
		for _, k := range set.Keys {
			if k.Use != "enc" {
				keys = append(keys, k)
			}
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("no key")
	}
	for i := range keys {
		if _, err := Algorithm(&keys[i]); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func parsePEM(block *pem.Block) (any, error) {
	if block.Type == "CERTIFICATE" {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate: %w", err)
		}
		return c.PublicKey, nil
	}
	if block.Type != "PUBLIC KEY" {
		return nil, fmt.Errorf("%s is not a PUBLIC KEY", block.Type) // a private key does not belong here
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	return key, nil
}

// Algorithm returns the one algorithm that a key is used with. A secret is no public key: whoever could choose HS256 with a public key as
// the secret could sign everything (RFC 8725 §2.1).
func Algorithm(k *jose.JSONWebKey) (jose.SignatureAlgorithm, error) {
	alg := jose.SignatureAlgorithm("")
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSA {
			return "", fmt.Errorf("an RSA key of %d bits: %d at least", key.N.BitLen(), minRSA)
		}
		alg = jose.RS256
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return "", errors.New("an elliptic key that is not of the curve P-256")
		}
		alg = jose.ES256
	default:
		return "", fmt.Errorf("a key of type %T is not the public key of RS256 or ES256", k.Key)
	}
	if k.Algorithm != "" && k.Algorithm != string(alg) {
		return "", fmt.Errorf("a key for %s, not %s", k.Algorithm, alg)
	}
	return alg, nil
}

// For returns the keys that may have signed a token with that header.
func (k Keys) For(id string, algorithm string) Keys {
	var found Keys
	for i := range k {
		alg, err := Algorithm(&k[i])
		if err == nil && string(alg) == algorithm && (id == "" || k[i].KeyID == "" || k[i].KeyID == id) {
			found = append(found, k[i])
		}
	}
	return found
}
