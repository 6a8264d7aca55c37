package export

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
)

// TLS returns how to speak TLS with the target's hosts: with those whose names a file of
// certificates in PEM vouches for, which the option ca names, or whom the system trusts.
// Whoever has a host's name sets ServerName.
func (t *Target) TLS() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if !t.Has("ca") {
		return config, nil
	}
	pem, err := t.Secret("ca")
	if err != nil {
		return nil, fmt.Errorf("%s: ca: %w", t, err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM([]byte(pem)) {
		return nil, fmt.Errorf("%s: ca: %s has no certificate in PEM", t, t.Options["ca"])
	}
	return config, nil
}
