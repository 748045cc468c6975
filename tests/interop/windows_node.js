// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Runs in node.exe under Wine: the add-ons node-expose-sspi and win-sso, prebuilt for Windows,
// call SSPI as their users' programs do. Prints "ok" or "FAIL" for each case and counts them.
// The arguments are an account (DOMAIN, user, password) that NTLM servers of this prefix know, or, with
// a fourth one, of a realm, with a ticket in the cache. With the one argument "serve" it is a web
// server that tells clients who they are, until one asks for /end.
'use strict';

const assert = require('assert');
const crypto = require('crypto');
const http = require('http');
const { sspi, sso } = require('node-expose-sspi');
const { WinSso } = require('win-sso');

const [domain, user, password, byTicket] = process.argv.slice(2);
const account = { domain, user, password };
const counts = { passed: 0, failed: 0 };

async function run(name, body) {
  try {
    await body();
    counts.passed++;
    console.log(`ok   ${name}`);
  } catch (error) {
    counts.failed++;
    console.log(`FAIL ${name}: ${error && error.stack ? error.stack : error}`);
  }
}

const token = (context) => Buffer.from(context.SecBufferDesc.buffers[0]);
const asInput = (bytes) => ({
  ulVersion: 0,
  buffers: [bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)],
});

// An acceptor that gives each client's token to AcceptSecurityContext.
class Acceptor {
  constructor(packageName) {
    this.credential = sspi.AcquireCredentialsHandle({
      packageName,
      credentialUse: 'SECPKG_CRED_INBOUND',
    }).credential;
  }

  take(bytes) {
    const input = { credential: this.credential, SecBufferDesc: asInput(bytes) };
    if (this.handle) input.contextHandle = this.handle;
    const context = sspi.AcceptSecurityContext(input);
    this.handle = context.contextHandle;
    this.status = context.SECURITY_STATUS;
    if (!['SEC_E_OK', 'SEC_I_CONTINUE_NEEDED'].includes(this.status)) throw new Error(this.status);
    return token(context);
  }

  name() {
    return sspi.QueryContextAttributes(this.handle, 'SECPKG_ATTR_NAMES').sUserName;
  }

  close() {
    if (this.handle) sspi.DeleteSecurityContext(this.handle);
    sspi.FreeCredentialsHandle(this.credential);
  }
}

// look(handle) is asked about the server's context; without it the answer is the client's name.
function connect(clientPackage, serverPackage, authData, look) {
  const wanted = { packageName: clientPackage, credentialUse: 'SECPKG_CRED_OUTBOUND' };
  if (authData) wanted.authData = authData;
  const credential = sspi.AcquireCredentialsHandle(wanted).credential;
  const acceptor = new Acceptor(serverPackage);
  const input = { credential, targetName: 'HTTP/localhost', isFirstCall: true, cbMaxToken: 48256 };
  let legs = 0;
  for (;;) {
    assert(++legs < 6, 'no end of legs');
    const client = sspi.InitializeSecurityContext(input);
    const sent = token(client);
    input.isFirstCall = false;
    input.contextHandle = client.contextHandle;
    if (sent.length) {
      const answer = acceptor.take(sent);
      if (!answer.length && client.SECURITY_STATUS === 'SEC_E_OK') break;
      input.SecBufferDesc = asInput(answer);
    }
    if (client.SECURITY_STATUS === 'SEC_E_OK') break;
  }
  assert.strictEqual(acceptor.status, 'SEC_E_OK');
  const name = look ? look(acceptor.handle) : acceptor.name();
  sspi.DeleteSecurityContext(input.contextHandle);
  acceptor.close();
  sspi.FreeCredentialsHandle(credential);
  return name;
}

const same = (left, right) => assert.strictEqual(left.toLowerCase(), right.toLowerCase());
const own = () => `${process.env.COMPUTERNAME}\\${sspi.GetUserName()}`;

// As servers do that want the client's name of the thread that acts for him.
function impersonatedName(handle) {
  sspi.ImpersonateSecurityContext(handle);
  try {
    return sspi.GetUserNameEx('NameSamCompatible');
  } finally {
    sspi.RevertSecurityContext(handle);
  }
}

function listen(options) {
  const middleware = sso.auth(options);
  const server = http.createServer((request, response) => {
    middleware(request, response, (error) => {
      response.statusCode = error ? error.statusCode || 500 : 200;
      response.end(JSON.stringify(error ? { error: error.message } : request.sso));
    });
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

async function overHttp(options, prepare) {
  const server = await listen(options);
  try {
    const client = new sso.Client();
    client.setTargetName('HTTP/localhost');
    prepare(client);
    const response = await client.fetch(`http://127.0.0.1:${server.address().port}/`);
    return { status: response.status, body: await response.text() };
  } finally {
    server.closeAllConnections ? server.closeAllConnections() : server.close();
    server.close();
  }
}

// The MD5 of a binding without addresses (RFC 2744 3.11, MS-NLMP 3.1.1.2).
function bindingHash(applicationData) {
  const head = Buffer.alloc(20);
  head.writeUInt32LE(applicationData.length, 16);
  return crypto.createHash('md5').update(head).update(applicationData).digest();
}

// AV pairs of the NTLMv2 response in an AUTHENTICATE (MS-NLMP 2.2.1.3, 2.2.2.7).
function pairsOf(message) {
  const start = message.indexOf(Buffer.from('NTLMSSP\0\x03\0\0\0', 'latin1'));
  assert(start >= 0, 'no AUTHENTICATE');
  const size = message.readUInt16LE(start + 20);
  const offset = message.readUInt32LE(start + 24);
  const pairs = new Map();
  for (let at = start + offset + 44; at < start + offset + size;) {
    const id = message.readUInt16LE(at);
    const length = message.readUInt16LE(at + 2);
    if (!id) break;
    pairs.set(id, message.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return pairs;
}

function winSso(packageName) {
  const certificate = { fingerprint256: Array(32).fill('5A').join(':') };
  const client = new WinSso(packageName, 'localhost', certificate);
  const acceptor = new Acceptor(packageName);
  const header = client.createAuthRequestHeader();
  const challenge = acceptor.take(Buffer.from(header.split(' ')[1], 'base64'));
  const answer = client.createAuthResponse(`${packageName} ${challenge.toString('base64')}`);
  const last = acceptor.take(answer);
  assert.strictEqual(acceptor.status, 'SEC_E_OK');
  if (last.length) client.createAuthResponse(`${packageName} ${last.toString('base64')}`);
  same(acceptor.name(), own());
  const expected = bindingHash(
    Buffer.concat([Buffer.from('tls-server-end-point:'), Buffer.alloc(32, 0x5a)]));
  assert.deepStrictEqual(pairsOf(answer).get(10), expected);
  client.freeAuthContext();
  acceptor.close();
}

// With Kerberos the server has all that it needs in the first token.
function winSsoByTicket() {
  const certificate = { fingerprint256: Array(32).fill('5A').join(':') };
  const client = new WinSso('Negotiate', 'localhost', certificate);
  const acceptor = new Acceptor('Negotiate');
  const header = client.createAuthRequestHeader();
  const last = acceptor.take(Buffer.from(header.split(' ')[1], 'base64'));
  assert.strictEqual(acceptor.status, 'SEC_E_OK');
  if (last.length) client.createAuthResponse(`Negotiate ${last.toString('base64')}`);
  same(acceptor.name(), `${domain}\\${user}`);
  client.freeAuthContext();
  acceptor.close();
}

async function kerberos() {
  const name = `${domain}\\${user}`;
  for (const [client, server] of [
    ['Kerberos', 'Kerberos'], ['Negotiate', 'Negotiate'], ['Kerberos', 'Negotiate'],
  ]) {
    await run(`node-expose-sspi: ${client} to ${server}, the user's ticket`, () => {
      same(connect(client, server), name);
    });
    await run(`node-expose-sspi: ${client} to ${server}, a password`, () => {
      same(connect(client, server, account), name);
    });
    await run(`node-expose-sspi: ${client} to ${server}, a wrong password`, () => {
      assert.throws(() => connect(client, server, { ...account, password: 'wrong' }),
        /SEC_E_LOGON_DENIED|8009030c/i);
    });
  }
  await run('win-sso: Negotiate with channel bindings', winSsoByTicket);
}

async function ntlm() {
  await run('packages are listed, Negotiate first', () => {
    const names = sspi.EnumerateSecurityPackages().map((each) => each.Name);
    assert.strictEqual(names[0], 'Negotiate');
    assert(names.includes('NTLM'), names.join());
  });
  for (const [client, server] of [
    ['NTLM', 'NTLM'], ['Negotiate', 'Negotiate'], ['NTLM', 'Negotiate'],
  ]) {
    await run(`node-expose-sspi: ${client} to ${server}, default credentials`, () => {
      same(connect(client, server), own());
    });
    await run(`node-expose-sspi: ${client} to ${server}, an account`, () => {
      same(connect(client, server, account), `${domain}\\${user}`);
    });
    await run(`node-expose-sspi: ${client} to ${server}, wrong password`, () => {
      assert.throws(() => connect(client, server, { ...account, password: 'wrong' }),
        /SEC_E_LOGON_DENIED/);
    });
  }
  await run('node-expose-sspi: GetUserNameEx', () => {
    same(sspi.GetUserNameEx('NameSamCompatible'), own());
    assert.throws(() => sspi.GetUserNameEx('NameUserPrincipal'));
  });
  for (const packageName of ['NTLM', 'Negotiate']) {
    await run(`node-expose-sspi: ${packageName}, the name of an impersonated client`, () => {
      same(connect(packageName, packageName, undefined, impersonatedName), own());
      same(connect(packageName, packageName, account, impersonatedName), `${domain}\\${user}`);
      same(sspi.GetUserNameEx('NameSamCompatible'), own());
    });
  }
  for (const forceNTLM of [true, false]) {
    const scheme = forceNTLM ? 'NTLM' : 'Negotiate';
    await run(`node-expose-sspi: HTTP server and client, ${scheme}`, async () => {
      const result = await overHttp({ forceNTLM, useActiveDirectory: false }, () => {});
      assert.strictEqual(result.status, 200, result.body);
      const found = JSON.parse(result.body);
      same(`${found.user.domain}\\${found.user.name}`, own());
      assert(found.user.sid.startsWith('S-1-5-21-'), found.user.sid);
    });
    await run(`node-expose-sspi: HTTP, ${scheme}, wrong password`, async () => {
      const result = await overHttp({ forceNTLM, useActiveDirectory: false }, (client) => {
        client.setCredentials(domain, user, 'wrong');
      });
      assert.strictEqual(result.status, 401, result.body);
    });
  }
  await run('win-sso: getLogonUserName', () => {
    same(WinSso.getLogonUserName(), own());
  });
  for (const packageName of ['NTLM', 'Negotiate']) {
    await run(`win-sso: ${packageName} with channel bindings`, () => winSso(packageName));
  }
}

// Wine looks for accounts on this computer only; a domain's are not there to be found.
async function serve() {
  const { LookupAccountName } = sspi;
  sspi.LookupAccountName = (name) => (name.startsWith(process.env.COMPUTERNAME) ?
    LookupAccountName(name) : { sid: 'S-1-0-0' });
  const server = await listen({ useActiveDirectory: false, useOwner: false });
  server.prependListener('request', (request) => {
    if (request.url === '/end') process.exit(0);
  });
  console.log(`port: ${server.address().port}`);
}

async function main() {
  await (byTicket ? kerberos() : ntlm());
  console.log(`windows_node: ${counts.passed} passed, ${counts.failed} failed, 0 skipped`);
  process.exit(counts.failed ? 1 : 0);
}

if (domain === 'serve') serve();
else main();
