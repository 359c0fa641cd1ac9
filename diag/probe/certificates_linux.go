package probe

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"assist/diag"
)

// certificateFiles is where servers keep theirs. Bundles of authorities are not looked into.
var certificateFiles = []string{
	"/etc/ssl/*.pem", "/etc/ssl/*.crt", "/etc/ssl/private/*.pem", "/etc/ssl/certs/ssl-cert-*.pem", "/etc/letsencrypt/live/*/cert.pem", "/etc/pki/tls/certs/*.crt",
	"/etc/nginx/*.crt", "/etc/nginx/*.pem", "/etc/nginx/ssl/*", "/etc/nginx/certs/*", "/etc/apache2/ssl/*", "/etc/httpd/ssl/*",
	"/etc/haproxy/*.pem", "/etc/haproxy/certs/*", "/etc/postfix/*.pem", "/etc/dovecot/*.pem", "/etc/dovecot/private/*.pem",
	"/etc/openvpn/*.crt", "/etc/openvpn/server/*.crt", "/etc/ipsec.d/certs/*", "/etc/cockpit/ws-certs.d/*.cert", "/etc/postgresql/*/*/*.crt",
	"/var/lib/caddy/.local/share/caddy/certificates/*/*/*.crt", "/var/lib/acme/*/cert.pem", "/etc/kubernetes/pki/*.crt",
}

// maxCertificates is how many are looked at.
const maxCertificates = 64

func (m *Machine) certificates(s *section) {
	n := 0
	s.under("certificates", "", func() {
		for _, pattern := range certificateFiles {
			for _, path := range m.glob(pattern) {
				if n >= maxCertificates || strings.Contains(filepath.Base(path), "ca-bundle") || strings.Contains(filepath.Base(path), "ca-certificates") {
					continue
				}
				c, err := m.certificate(path)
				if errors.Is(err, fs.ErrPermission) {
					s.missing(path, err)
				}
				if err != nil {
					continue
				}
				n++
				name := c.Subject.CommonName
				if name == "" && len(c.DNSNames) > 0 {
					name = c.DNSNames[0]
				}
				if name == "" {
					name = "a certificate without a name"
				}
				s.text(path, name+", until "+c.NotAfter.UTC().Format("2006-01-02"))
				s.find(diag.Certificate(path, name, c.NotAfter, s.now))
			}
		}
	})
	if n == 0 {
		s.note("certificates: none where servers keep them")
	}
}

var errNoCertificate = errors.New("no certificate")

// certificate reads the first certificate of a PEM file: that of the server itself.
func (m *Machine) certificate(path string) (*x509.Certificate, error) {
	fi, err := os.Stat(m.at(path))
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() || fi.Size() > 256<<10 {
		return nil, errNoCertificate
	}
	text, err := m.read(path)
	if err != nil {
		return nil, err
	}
	for rest := []byte(text); ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		switch {
		case block == nil:
			return nil, errNoCertificate
		case block.Type == "CERTIFICATE":
			return x509.ParseCertificate(block.Bytes)
		}
	}
}
