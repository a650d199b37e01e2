package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"
)

// made is a certificate with its key.
type made struct {
	*x509.Certificate
	key crypto.Signer
}

// generate signs a certificate; signer nil means with its own key. It is for servers and valid now unless the template says otherwise.
func generate(t testing.TB, template x509.Certificate, signer *made) made {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(1)
	if template.NotBefore.IsZero() {
		template.NotBefore = time.Now().Add(-time.Hour)
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(time.Hour)
	}
	if template.IsCA {
		template.BasicConstraintsValid = true
		template.KeyUsage = x509.KeyUsageCertSign
	} else if template.ExtKeyUsage == nil {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	by := made{Certificate: &template, key: key}
	if signer != nil {
		by = *signer
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, by.Certificate, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made{Certificate: c, key: key}
}

// authority is a root, or an intermediate one of another authority.
func authority(t testing.TB, name string, signer *made) made {
	t.Helper()
	return generate(t, x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true}, signer)
}

func pool(authorities ...made) *x509.CertPool {
	p := x509.NewCertPool()
	for _, a := range authorities {
		p.AddCert(a.Certificate)
	}
	return p
}

func chain(all ...made) (c []*x509.Certificate) {
	for _, m := range all {
		c = append(c, m.Certificate)
	}
	return c
}

// other is a name of another kind: its identifier, and the type of its text.
type other struct {
	id   asn1.ObjectIdentifier
	tag  int
	text string
}

func srvID(text string) other    { return other{oidSRV, asn1.TagIA5String, text} }
func xmppAddr(text string) other { return other{oidXMPPAddr, asn1.TagUTF8String, text} }

// otherNames is the extension with names of other kinds.
func otherNames(t testing.TB, critical bool, all ...other) pkix.Extension {
	t.Helper()
	var values []asn1.RawValue
	for _, o := range all {
		text, err := asn1.Marshal(asn1.RawValue{Tag: o.tag, Bytes: []byte(o.text)})
		if err != nil {
			t.Fatal(err)
		}
		id, err := asn1.Marshal(o.id)
		if err != nil {
			t.Fatal(err)
		}
		value, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: text})
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: append(id, value...)})
	}
	der, err := asn1.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	return pkix.Extension{Id: oidNames, Critical: critical, Value: der}
}
