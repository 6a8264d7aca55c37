"""Keeps what comes: of POST requests their bodies, unpacked, and of other connections all octets.

receive.py http|tcp FILE [CERTIFICATE KEY]
"""
import gzip, http.server, socketserver, ssl, sys

kind, path = sys.argv[1:3]
out = open(path, "wb")


class Post(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        out.write(body)
        out.flush()
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


class Octets(socketserver.BaseRequestHandler):
    def handle(self):
        while True:
            octets = self.request.recv(65536)
            if not octets:
                print("closed", flush=True)
                return
            out.write(octets)
            out.flush()


server = socketserver.TCPServer(("127.0.0.1", 0), {"http": Post, "tcp": Octets}[kind])
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*sys.argv[3:5])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print("port", server.server_address[1], flush=True)
server.serve_forever()
